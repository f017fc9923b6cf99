/** String instructions (SDM volume 1, 5.1.8): one element a time; a repeated one is executed anew until it is done. */

import type { Builder, Operand, Value, Width } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const [rax, rcx, rsi, rdi] = [0, 1, 6, 7] as const;

/** From so many elements on it is worth leaving emitted code for all of them. */
const many = 32;

type Element = 8 | 16 | 32 | 64;

const elementOf = (b: Builder, byte: boolean): Element => (byte ? 8 : b.operandSize);
const index = (b: Builder, number: number): Operand => b.register(number, b.addressSize);
const source = (b: Builder, width: Width): Operand => b.at('data', b.zeroExtend(b.get(index(b, rsi)), 64), width);
const destination = (b: Builder, width: Width): Operand => b.at('es', b.zeroExtend(b.get(index(b, rdi)), 64), width);

/** SI or DI to the next element, by the direction flag. */
function advance(b: Builder, number: number, element: Element): void {
  const bytes = element / 8;
  const distance = b.select(b.flag('DF'), b.constant(b.addressSize, -bytes), b.constant(b.addressSize, bytes));
  b.set(index(b, number), b.binary('add', b.get(index(b, number)), distance));
}

/** Nothing is done with a count of zero. */
function begin(b: Builder): void {
  if (b.repeat !== undefined) b.finishIf(b.compare('eq', b.get(index(b, rcx)), b.constant(b.addressSize, 0)));
}

/** Counts, and goes on with the next element as long as there is one and the condition holds. */
function end(b: Builder, condition?: Value): void {
  if (b.repeat === undefined) return;
  const left = b.binary('sub', b.get(index(b, rcx)), b.constant(b.addressSize, 1));
  const more = b.compare('ne', left, b.constant(b.addressSize, 0));
  b.set(index(b, rcx), left);
  b.again(condition === undefined ? more : b.binary('and', more, condition));
}

/** Many elements at once: bytes of one | address size << 8 | segment of the source << 16. */
function block(b: Builder, operation: string, element: Element): void {
  if (b.repeat === undefined) return;
  const worthIt = b.compare('leU', b.constant(b.addressSize, many), b.get(index(b, rcx)));
  const fixed = b.constant(64, (element / 8) | (b.addressSize << 8));
  b.systemIf(worthIt, operation, b.binary('or', fixed, b.binary('shl', b.segment(), b.constant(64, 16))));
}

const movs = (byte: boolean): Meaning => (b) => {
  const element = elementOf(b, byte);
  begin(b);
  block(b, 'repeatMove', element);
  b.set(destination(b, element), b.get(source(b, element)));
  advance(b, rsi, element);
  advance(b, rdi, element);
  end(b);
};

const stos = (byte: boolean): Meaning => (b) => {
  const element = elementOf(b, byte);
  begin(b);
  block(b, 'repeatStore', element);
  b.set(destination(b, element), b.get(b.register(rax, element)));
  advance(b, rdi, element);
  end(b);
};

const lods = (byte: boolean): Meaning => (b) => {
  const element = elementOf(b, byte);
  begin(b);
  b.set(b.register(rax, element), b.get(source(b, element)));
  advance(b, rsi, element);
  end(b);
};

/** Flags of x - y, and whether the repeat prefix wants another one after it. */
function compare(b: Builder, x: Value, y: Value): Value {
  b.flags('sub', x, y, b.binary('sub', x, y));
  return b.compare(b.repeat === 'repne' ? 'ne' : 'eq', x, y);
}

const cmps = (byte: boolean): Meaning => (b) => {
  const element = elementOf(b, byte);
  begin(b);
  // Of two that fault, silicon tells of the second operand's.
  const second = b.get(destination(b, element));
  const goOn = compare(b, b.get(source(b, element)), second);
  advance(b, rsi, element);
  advance(b, rdi, element);
  end(b, goOn);
};

const scas = (byte: boolean): Meaning => (b) => {
  const element = elementOf(b, byte);
  begin(b);
  const goOn = compare(b, b.get(b.register(rax, element)), b.get(destination(b, element)));
  advance(b, rdi, element);
  end(b, goOn);
};

const both = (name: string, bytes: string, words: string, meaning: (byte: boolean) => Meaning, repeat: 'count' | 'zero'): Instruction[] => [
  instruction(name, bytes, '', meaning(true), { repeat }), instruction(name, words, '', meaning(false), { repeat }),
];

export const string: readonly Instruction[] = [
  ...both('MOVS', 'A4', 'A5', movs, 'count'),
  ...both('CMPS', 'A6', 'A7', cmps, 'zero'),
  ...both('STOS', 'AA', 'AB', stos, 'count'),
  ...both('LODS', 'AC', 'AD', lods, 'count'),
  ...both('SCAS', 'AE', 'AF', scas, 'zero'),
];
