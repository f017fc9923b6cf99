/** x87 (SDM volume 1, 5.2). Its instructions are done whole, on the floating point of src/cpu/float. */

import type { Operand } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

/** Formats in memory, as src/cpu/system/x87/transfer.ts numbers them. */
const f32 = 0, f64 = 1, f80 = 2, i16 = 3, i32 = 4, i64 = 5, bcd = 6;
const pops = 8;
const truncates = 16;

const unit = { unit: 'x87', ends: true } as const;

const plain = (operation: string): Meaning => (b) => b.system(operation);
const onMemory = (operation: string, what: number): Meaning => (b, memory) => (
  b.system(operation, b.constant(64, what), b.address(memory as Operand), b.segment(memory))
);
const onRegister = (operation: string, second = 0, third = 0): Meaning => (b, register) => (
  b.system(operation, b.number(register as Operand), b.constant(64, second), b.constant(64, third))
);

const form = (name: string, encoding: string, operands: string, meaning: Meaning): Instruction => instruction(name, encoding, operands, meaning, unit);

const computing = ['FADD', 'FMUL', '', '', 'FSUB', 'FSUBR', 'FDIV', 'FDIVR'];

/** ST(0) with a number in memory or a register; ST(i) with ST(0), where what is subtracted from what is the other way round. */
const arithmetic = computing.flatMap((name, which) => {
  if (name === '') return [];
  const register = (first: number): string => (first + 8 * which).toString(16).toUpperCase();
  const other = which < 4 ? which : which ^ 1;
  const intoRegister = (to: number): Meaning => (b, operand) => b.system('x87WithRegister', b.constant(64, other), b.number(operand as Operand), b.constant(64, to));
  return [
    ...([['D8', f32], ['DC', f64], ['DA', i32], ['DE', i16]] as const).map(([opcode, format]) => (
      form(name, `${opcode} /${which} mem`, 'M', onMemory('x87WithMemory', which | (format << 8)))
    )),
    form(name, `D8 ${register(0xc0)}+i`, 'STi', (b, operand) => b.system('x87WithRegister', b.constant(64, which), b.number(operand as Operand), b.constant(64, 0))),
    form(computing[other] as string, `DC ${register(0xc0)}+i`, 'STi', intoRegister(1)),
    form(`${computing[other]}P`, `DE ${register(0xc0)}+i`, 'STi', intoRegister(2)),
  ];
});

const alone: readonly (readonly [string, string])[] = [
  ['FCHS', 'E0'], ['FABS', 'E1'], ['FTST', 'E4'], ['FXAM', 'E5'], ['F2XM1', 'F0'], ['FYL2X', 'F1'], ['FPTAN', 'F2'], ['FPATAN', 'F3'], ['FXTRACT', 'F4'], ['FPREM1', 'F5'],
  ['FDECSTP', 'F6'], ['FINCSTP', 'F7'], ['FPREM', 'F8'], ['FYL2XP1', 'F9'], ['FSQRT', 'FA'], ['FSINCOS', 'FB'], ['FRNDINT', 'FC'], ['FSCALE', 'FD'], ['FSIN', 'FE'], ['FCOS', 'FF'],
];

const transcendental = /^(?:F2XM1|FYL2X|FPTAN|FPATAN|FYL2XP1|FSINCOS|FSIN|FCOS)$/;

const constants = ['FLD1', 'FLDL2T', 'FLDL2E', 'FLDPI', 'FLDLG2', 'FLDLN2', 'FLDZ'];

const loads = ([['D9 /0', f32], ['DD /0', f64], ['DB /5', f80], ['DF /0', i16], ['DB /0', i32], ['DF /5', i64], ['DF /4', bcd]] as const).map(([encoding, format]) => (
  form(format >= i16 ? 'FILD' : 'FLD', `${encoding} mem`, 'M', onMemory('fld', format))
));

const stores = ([
  ['FST', 'D9 /2', f32], ['FSTP', 'D9 /3', f32 | pops], ['FST', 'DD /2', f64], ['FSTP', 'DD /3', f64 | pops], ['FSTP', 'DB /7', f80 | pops],
  ['FIST', 'DF /2', i16], ['FISTP', 'DF /3', i16 | pops], ['FIST', 'DB /2', i32], ['FISTP', 'DB /3', i32 | pops], ['FISTP', 'DF /7', i64 | pops],
  ['FISTTP', 'DF /1', i16 | pops | truncates], ['FISTTP', 'DB /1', i32 | pops | truncates], ['FISTTP', 'DD /1', i64 | pops | truncates], ['FBSTP', 'DF /6', bcd | pops],
] as const).map(([name, encoding, what]) => form(name, `${encoding} mem`, 'M', onMemory('fst', what)));

const compares = ([['D8', f32], ['DC', f64], ['DA', i32], ['DE', i16]] as const).flatMap(([opcode, format]) => [
  form('FCOM', `${opcode} /2 mem`, 'M', onMemory('fcom', format)), form('FCOMP', `${opcode} /3 mem`, 'M', onMemory('fcom', format | pops)),
]);

/** Some are there twice, or more often: the 8087's opcodes were not all given out. */
const registers: readonly (readonly [string, string, Meaning])[] = [
  ['FLD', 'D9 C0', onRegister('fldRegister')],
  ...['D9 C8', 'DD C8', 'DF C8'].map((encoding) => ['FXCH', encoding, onRegister('fxch')] as const),
  ['FST', 'DD D0', onRegister('fstRegister')],
  ...['DD D8', 'DF D0', 'DF D8'].map((encoding) => ['FSTP', encoding, onRegister('fstRegister', 1)] as const),
  ['FSTP', 'D9 D8', onRegister('fstRegister', 2)],
  ...['D8 D0', 'DC D0'].map((encoding) => ['FCOM', encoding, onRegister('fcomRegister', 0, 0)] as const),
  ...['D8 D8', 'DC D8', 'DE D0'].map((encoding) => ['FCOMP', encoding, onRegister('fcomRegister', 0, 1)] as const),
  ['FUCOM', 'DD E0', onRegister('fcomRegister', 1, 0)], ['FUCOMP', 'DD E8', onRegister('fcomRegister', 1, 1)],
  ['FCOMI', 'DB F0', onRegister('fcomi', 0, 0)], ['FUCOMI', 'DB E8', onRegister('fcomi', 1, 0)],
  ['FCOMIP', 'DF F0', onRegister('fcomi', 0, 1)], ['FUCOMIP', 'DF E8', onRegister('fcomi', 1, 1)],
  ['FFREE', 'DD C0', onRegister('ffree')], ['FFREEP', 'DF C0', onRegister('ffree', 1)],
];

const moves = ['FCMOVB DA C0', 'FCMOVE DA C8', 'FCMOVBE DA D0', 'FCMOVU DA D8', 'FCMOVNB DB C0', 'FCMOVNE DB C8', 'FCMOVNBE DB D0', 'FCMOVNU DB D8'].map((each, which) => {
  const [name, ...encoding] = each.split(' ') as [string, string, string];
  return form(name, `${encoding.join(' ')}+i`, 'STi', (b, operand) => b.system('fcmov', b.constant(64, which), b.number(operand as Operand)));
});

const twice = (quiet: number): Meaning => (b) => b.system('fcomRegister', b.constant(64, 1), b.constant(64, quiet), b.constant(64, 2));

const environment = ([['FLDENV', 'D9 /4'], ['FNSTENV', 'D9 /6'], ['FRSTOR', 'DD /4'], ['FNSAVE', 'DD /6']] as const).map(([name, encoding]) => (
  form(name, `${encoding} mem`, 'M', (b, memory) => b.system(name.toLowerCase(), b.address(memory as Operand), b.segment(memory), b.constant(64, b.operandSize === 16 ? 0 : 1)))
));

export const x87: readonly Instruction[] = [
  ...arithmetic, ...loads, ...stores, ...compares,
  ...alone.map(([name, byte]) => ({ ...form(name, `D9 ${byte}`, '', plain(name.toLowerCase())), ...(transcendental.test(name) && { undefinedFlags: 'C1' }) })),
  ...constants.map((name, index) => form(name, `D9 ${(0xe8 + index).toString(16).toUpperCase()}`, '', (b) => b.system('fldConstant', b.constant(64, index)))),
  ...registers.map(([name, encoding, meaning]) => form(name, `${encoding}+i`, 'STi', meaning)),
  ...moves, ...environment,
  form('FCOMPP', 'DE D9', '', twice(0)), form('FUCOMPP', 'DA E9', '', twice(1)),
];
