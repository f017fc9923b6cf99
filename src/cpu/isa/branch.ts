/** Control transfer (SDM volume 1, 5.1.7). Far ones and interrupts are in system.ts. */

import { conditions, type Builder, type Operand, type Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

/** RIP is as wide as the operand. */
const pushNext = (b: Builder): void => b.push(b.truncate(b.nextRip(), b.operandSize));

const jump: Meaning = (b, distance) => b.branch(distance as Operand);
const jumpTo: Meaning = (b, target) => b.jump(b.zeroExtend(b.get(target as Operand), 64));
const jumpIf = (condition: number): Meaning => (b, distance) => b.branch(distance as Operand, b.condition(conditions[condition] as never));

const call: Meaning = (b, distance) => {
  pushNext(b);
  b.branch(distance as Operand);
};

const callTo: Meaning = (b, target) => {
  // An address that is none faults before anything is pushed.
  b.jump(b.zeroExtend(b.get(target as Operand), 64));
  pushNext(b);
};

const ret: Meaning = (b, bytes) => {
  const rip = b.pop(b.operandSize);
  if (bytes !== undefined) b.release(b.zeroExtend(b.get(bytes), 64));
  b.jump(b.zeroExtend(rip, 64));
};

/** CX, ECX or RCX by the address size. */
const counter = (b: Builder): Operand => b.register(1, b.addressSize);

const loop = (condition?: 'e' | 'ne'): Meaning => (b, distance) => {
  const left = b.binary('sub', b.get(counter(b)), b.constant(b.addressSize, 1));
  const more: Value = b.compare('ne', left, b.constant(b.addressSize, 0));
  const taken = condition === undefined ? more : b.binary('and', more, b.condition(condition));
  b.set(counter(b), left);
  b.branch(distance as Operand, taken);
};

const jumpIfZero: Meaning = (b, distance) => b.branch(distance as Operand, b.compare('eq', b.get(counter(b)), b.constant(b.addressSize, 0)));

const near = { default64: 'default' } as const;
const nearEnd = { default64: 'default', ends: true } as const;
const names = ['O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G'];
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

export const branch: readonly Instruction[] = [
  ...names.flatMap((name, condition) => [
    instruction(`J${name}`, hex(0x70 + condition), 'Jb', jumpIf(condition), near),
    instruction(`J${name}`, `0F ${hex(0x80 + condition)}`, 'Jz', jumpIf(condition), near),
  ]),
  instruction('JMP', 'EB', 'Jb', jump, nearEnd), instruction('JMP', 'E9', 'Jz', jump, nearEnd),
  instruction('JMP', 'FF /4', 'Ev', jumpTo, nearEnd),
  instruction('CALL', 'E8', 'Jz', call, nearEnd), instruction('CALL', 'FF /2', 'Ev', callTo, nearEnd),
  instruction('RET', 'C3', '', ret, nearEnd), instruction('RET', 'C2', 'Iw', ret, nearEnd),
  instruction('LOOPNE', 'E0', 'Jb', loop('ne'), near), instruction('LOOPE', 'E1', 'Jb', loop('e'), near),
  instruction('LOOP', 'E2', 'Jb', loop(), near), instruction('JRCXZ', 'E3', 'Jb', jumpIfZero, near),
];
