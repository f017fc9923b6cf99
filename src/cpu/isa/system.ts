/** System instructions and those of the flag register (SDM volume 1, 5.1.10, 5.1.12, 5.1.13 and 5.20). */

import type { Builder, Flag, Operand, Value, Width } from '../builder.ts';
import { instruction, type Instruction, type Meaning, type Traits } from './instruction.ts';

const wide = (b: Builder, operand: Operand): Value => b.zeroExtend(b.get(operand), 64);
const size = (b: Builder): Value => b.constant(64, b.operandSize);

const plain = (operation: string): Meaning => (b) => b.system(operation);
const sized = (operation: string): Meaning => (b) => b.system(operation, size(b));
const ofValue = (operation: string): Meaning => (b, src) => b.system(operation, wide(b, src as Operand));

const fromSystemRegister = (operation: string): Meaning => (b, dst, src) => b.system(operation, b.number(dst as Operand), b.number(src as Operand));
const toSystemRegister = (operation: string): Meaning => (b, dst, src) => b.system(operation, b.number(dst as Operand), wide(b, src as Operand));

/** #GP of a program comes before its operand in memory is looked at. Without protection SS says nothing of a level. */
function demandSupervisor(b: Builder, operation = 'demandSupervisor'): void {
  const ofSs = b.binary('and', b.get(b.state('ssAttributes', 16)), b.constant(16, 0x60));
  const isProtected = b.truncate(b.get(b.state('cr0', 64)), 1);
  b.systemIf(b.binary('and', isProtected, b.compare('ne', ofSs, b.constant(16, 0))), operation);
}

const ofSupervisor = (operation: string, demand?: string): Meaning => (b, src) => {
  demandSupervisor(b, demand);
  ofValue(operation)(b, src as Operand);
};

/** Limit and base of a descriptor table; of the base, 24 bits count with 16-bit operands. */
const loadTable = (operation: string): Meaning => (b, src) => {
  demandSupervisor(b);
  const memory = src as Operand;
  const limit = wide(b, b.field(memory, 0, 16));
  const base = wide(b, b.field(memory, 2, b.long ? 64 : 32));
  b.system(operation, limit, !b.long && b.operandSize === 16 ? b.binary('and', base, b.constant(64, 0xffffff)) : base);
};

const storeTable = (operation: string): Meaning => (b, dst) => b.system(operation, b.segment(dst as Operand), b.address(dst as Operand));

/** Which: 0 LDTR, 1 TR, 2 the machine status word. */
const storeSelector = (which: number): Meaning => (b, dst) => {
  const segment = b.binary('shl', b.segment(dst as Operand), b.constant(64, 8));
  b.system('storeSelector', b.binary('or', segment, b.constant(64, which)), b.address(dst as Operand));
};
const storeSelectorToRegister = (which: number): Meaning => (b, dst) => b.system('storeSelectorToRegister', b.constant(64, which), b.number(dst as Operand), size(b));

const inspect = (operation: string): Meaning => (b, dst, src) => {
  b.system(operation, b.binary('or', b.number(dst as Operand), b.constant(64, b.operandSize << 8)), wide(b, src as Operand));
};

const adjustLevelInRegister: Meaning = (b, dst, src) => b.system('adjustLevelInRegister', b.number(dst as Operand), wide(b, dst as Operand), wide(b, src as Operand));
const adjustLevelInMemory: Meaning = (b, dst, src) => b.system('adjustLevelInMemory', b.segment(dst as Operand), b.address(dst as Operand), wide(b, src as Operand));

/** INVLPG takes the linear address: the segment's base is in it. */
const invalidatePage: Meaning = (b, memory) => b.system('invalidatePage', b.segment(memory as Operand), b.address(memory as Operand));

const invalidateTagged: Meaning = (b, type, src) => {
  const descriptor = src as Operand;
  b.system('invalidateTagged', wide(b, type as Operand), b.get(b.field(descriptor, 0, 64)), b.get(b.field(descriptor, 8, 64)));
};

const extendedControl = (operation: string): Meaning => (b) => {
  const [a, c, d] = [0, 1, 2].map((number) => b.get(b.register(number, 64))) as [Value, Value, Value];
  b.system(operation, c, a, d);
};

/** A load of which only the fault remains. */
const touch: Meaning = (b, memory) => {
  b.get(b.field(memory as Operand, 0, 8));
};
const nothing: Meaning = () => undefined;

/** CF, PF, AF, ZF and SF at their places in AH. */
const inAh: readonly (readonly [Flag, number])[] = [['CF', 0], ['PF', 2], ['AF', 4], ['ZF', 6], ['SF', 7]];

const lahf: Meaning = (b) => {
  const ax = b.register(0, 16);
  // Bit 1 of RFLAGS is always set.
  let whole = b.binary('or', b.binary('and', b.get(ax), b.constant(16, 0xff)), b.constant(16, 0x200));
  for (const [flag, place] of inAh) whole = b.binary('or', whole, b.binary('shl', b.zeroExtend(b.flag(flag), 16), b.constant(16, 8 + place)));
  b.set(ax, whole);
};

const sahf: Meaning = (b) => {
  const ax = b.get(b.register(0, 16));
  b.setFlags(Object.fromEntries(inAh.map(([flag, place]) => [flag, b.truncate(b.binary('shr', ax, b.constant(16, 8 + place)), 1)])));
};

const setCarry = (carry: (b: Builder) => Value): Meaning => (b) => b.setFlags({ CF: carry(b) });
const setDirection = (direction: number): Meaning => (b) => b.setFlags({ DF: b.constant(1, direction) });

/** In 64-bit mode the stack has no segment, and this needs no operation. */
const leave: Meaning = (b) => {
  if (!b.long) {
    sized('leave')(b);
    return;
  }
  const frame = b.get(b.register(5, 64));
  const outer = b.get(b.at('ss', frame, b.operandSize as Width));
  b.set(b.register(5, b.operandSize), outer);
  b.set(b.register(4, 64), b.binary('add', frame, b.constant(64, b.operandSize / 8)));
};

const enter: Meaning = (b, allocated, level) => b.system('enter', size(b), wide(b, allocated as Operand), wide(b, level as Operand));

const readBase = (operation: string): Meaning => (b, dst) => b.system(operation, b.number(dst as Operand), b.constant(64, (dst as Operand).width));

const ends: Traits = { ends: true };
const always: Traits = { default64: 'always', ends: true };
const ofStack: Traits = { default64: 'default' };
const legacy: Traits = { mode: 'legacy' };
const long: Traits = { mode: 'long' };

const controlRegisters: readonly Instruction[] = [
  instruction('MOV', '0F 20 /r', 'Ry,C', fromSystemRegister('readControl'), { default64: 'always' }),
  instruction('MOV', '0F 22 /r', 'C,Ry', toSystemRegister('writeControl'), always),
  instruction('MOV', '0F 21 /r', 'Ry,D', fromSystemRegister('readDebug'), { default64: 'always' }),
  instruction('MOV', '0F 23 /r', 'D,Ry', toSystemRegister('writeDebug'), always),
  instruction('CLTS', '0F 06', '', plain('clearTaskSwitched')),
  instruction('SMSW', '0F 01 /4 mem', 'M', storeSelector(2)), instruction('SMSW', '0F 01 /4 reg', 'Rv', storeSelectorToRegister(2)),
  instruction('LMSW', '0F 01 /6', 'Ew', ofSupervisor('loadMachineStatus'), ends),
  instruction('INVLPG', '0F 01 /7 mem', 'M', invalidatePage, ends),
  instruction('INVPCID', '66 0F 38 82 /r mem', 'Gy,M', invalidateTagged, always),
  instruction('XGETBV', '0F 01 D0', '', extendedControl('getExtendedControl')), instruction('XSETBV', '0F 01 D1', '', extendedControl('setExtendedControl')),
];

const descriptorTables: readonly Instruction[] = [
  instruction('SGDT', '0F 01 /0 mem', 'M', storeTable('storeGdt')), instruction('SIDT', '0F 01 /1 mem', 'M', storeTable('storeIdt')),
  instruction('LGDT', '0F 01 /2 mem', 'M', loadTable('loadGdt')), instruction('LIDT', '0F 01 /3 mem', 'M', loadTable('loadIdt')),
  instruction('SLDT', '0F 00 /0 mem', 'M', storeSelector(0)), instruction('SLDT', '0F 00 /0 reg', 'Rv', storeSelectorToRegister(0)),
  instruction('STR', '0F 00 /1 mem', 'M', storeSelector(1)), instruction('STR', '0F 00 /1 reg', 'Rv', storeSelectorToRegister(1)),
  instruction('LLDT', '0F 00 /2', 'Ew', ofSupervisor('loadLocalTable', 'demandProtectedSupervisor')),
  instruction('LTR', '0F 00 /3', 'Ew', ofSupervisor('loadTask', 'demandProtectedSupervisor')),
  instruction('VERR', '0F 00 /4', 'Ew', ofValue('verifyRead')), instruction('VERW', '0F 00 /5', 'Ew', ofValue('verifyWrite')),
  instruction('LAR', '0F 02 /r', 'Gv,Ew', inspect('loadRights')), instruction('LSL', '0F 03 /r', 'Gv,Ew', inspect('loadLimit')),
  instruction('ARPL', '63 /r reg', 'Ew,Gw', adjustLevelInRegister, legacy), instruction('ARPL', '63 /r mem', 'Ew,Gw', adjustLevelInMemory, legacy),
];

const bases: readonly Instruction[] = [
  instruction('SWAPGS', '0F 01 F8', '', plain('swapGs'), long),
  instruction('RDFSBASE', 'F3 0F AE /0 reg', 'Ry', readBase('readFsBase'), long), instruction('RDGSBASE', 'F3 0F AE /1 reg', 'Ry', readBase('readGsBase'), long),
  instruction('WRFSBASE', 'F3 0F AE /2 reg', 'Ry', ofValue('writeFsBase'), long), instruction('WRGSBASE', 'F3 0F AE /3 reg', 'Ry', ofValue('writeGsBase'), long),
  instruction('RDPID', 'F3 0F C7 /7 reg', 'Ry', (b, dst) => b.system('readProcessor', b.number(dst as Operand))),
];

const flagRegister: readonly Instruction[] = [
  instruction('PUSHF', '9C', '', sized('pushFlags'), ofStack), instruction('POPF', '9D', '', sized('popFlags'), ofStack),
  instruction('SAHF', '9E', '', sahf), instruction('LAHF', '9F', '', lahf),
  instruction('CMC', 'F5', '', setCarry((b) => b.unary('not', b.flag('CF')))),
  instruction('CLC', 'F8', '', setCarry((b) => b.constant(1, 0))), instruction('STC', 'F9', '', setCarry((b) => b.constant(1, 1))),
  instruction('CLI', 'FA', '', plain('clearInterrupts')), instruction('STI', 'FB', '', plain('setInterrupts')),
  instruction('CLD', 'FC', '', setDirection(0)), instruction('STD', 'FD', '', setDirection(1)),
  instruction('CLAC', '0F 01 CA', '', plain('clearAlignment')), instruction('STAC', '0F 01 CB', '', plain('setAlignment')),
];

const processorState: readonly Instruction[] = [
  instruction('HLT', 'F4', '', plain('halt'), ends),
  instruction('RDMSR', '0F 32', '', plain('readMsr')), instruction('WRMSR', '0F 30', '', plain('writeMsr'), ends),
  instruction('RDTSC', '0F 31', '', plain('readTimestamp')), instruction('RDTSCP', '0F 01 F9', '', plain('readTimestampAndProcessor')),
  instruction('RDPMC', '0F 33', '', plain('readPerformance')), instruction('CPUID', '0F A2', '', plain('cpuid')),
  instruction('INVD', '0F 08', '', plain('demandSupervisor')), instruction('WBINVD', '0F 09', '', plain('demandSupervisor')),
  instruction('UD2', '0F 0B', '', plain('undefinedInstruction'), ends),
  instruction('UD1', '0F B9 /r', 'Gv,Ev', plain('undefinedInstruction'), ends), instruction('UD0', '0F FF /r', 'Gv,Ev', plain('undefinedInstruction'), ends),
];

const memoryOrder: readonly Instruction[] = [
  instruction('CLFLUSH', 'NP 0F AE /7 mem', 'Mb', touch), instruction('CLFLUSHOPT', '66 0F AE /7 mem', 'Mb', touch),
  instruction('LFENCE', 'NP 0F AE /5 reg', '', nothing), instruction('MFENCE', 'NP 0F AE /6 reg', '', nothing), instruction('SFENCE', 'NP 0F AE /7 reg', '', nothing),
];

const frames: readonly Instruction[] = [
  instruction('ENTER', 'C8', 'Iw,Ib', enter, ofStack), instruction('LEAVE', 'C9', '', leave, ofStack),
  instruction('PUSHA', '60', '', sized('pushAll'), legacy), instruction('POPA', '61', '', sized('popAll'), legacy),
];

export const system: readonly Instruction[] = [
  ...controlRegisters, ...descriptorTables, ...bases, ...flagRegister, ...processorState, ...memoryOrder, ...frames,
];
