/** Instructions whose results the manuals and IEEE 754 give, worked out by hand: the oracle has to say the same. */
import { generalRegisters, type GeneralRegister } from '../../src/cpu/state.ts';
import type { Case, Exception, Result } from './silicon.ts';

type Registers = Partial<Record<GeneralRegister, bigint>>;

/** Parts of the state: general registers, flags, vector registers as two words. */
interface State {
  readonly registers?: Registers;
  readonly rflags?: number;
  /** XMM registers by number: low and high word. */
  readonly xmm?: Readonly<Record<number, readonly [bigint, bigint]>>;
  /** The x87 stack from ST0 on: significand, sign and exponent; all that are given are in use. */
  readonly st?: readonly (readonly [bigint, number])[];
  readonly fcw?: number;
  readonly fsw?: number;
  readonly mxcsr?: number;
  /** Words of memory by address. */
  readonly memory?: Readonly<Record<number, bigint>>;
}

export interface Known {
  readonly name: string;
  /** In hexadecimal. */
  readonly code: string;
  readonly before: State & { readonly rip?: number; readonly fsBase?: bigint; readonly branches?: boolean };
  /** What is not named stays as it was. `rip` is counted from the code's first byte; without it, the code's end or, at a fault, 0. */
  readonly after: State & { readonly rip?: number; readonly exception?: Partial<Exception> };
  /** Flags that the manual leaves undefined. */
  readonly undefinedFlags?: number;
}

export const start = 0x100100;
export const stack = 0x201800n;

/** Pages of the data window. */
const absent = 0x202000;
const readOnly = 0x204000;
const supervisor = 0x206000;
const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const TF = 0x100;
const DF = 0x400;
const OF = 0x800;
const AC = 0x40000;
const minusOne = 0xffffffffffffffffn;
const top = 0x8000000000000000n;
const one = 0x3ff0000000000000n;
const pageFault = (errorCode: number, cr2: number): { exception: Exception } => ({ exception: { vector: 14, errorCode, cr2: BigInt(cr2) } });
const fault = (vector: number, errorCode = 0): { exception: Partial<Exception> } => ({ exception: { vector, errorCode } });

export const knownResults: readonly Known[] = [
  {
    name: 'add rax, rcx: signed overflow', code: '4801c8',
    before: { registers: { rax: top - 1n, rcx: 1n } },
    after: { registers: { rax: top }, rflags: OF | SF | AF | PF },
  },
  {
    name: 'add al, cl: carry and zero; the rest of rax stays', code: '00c8',
    before: { registers: { rax: 0x12ffn, rcx: 1n } },
    after: { registers: { rax: 0x1200n }, rflags: CF | ZF | AF | PF },
  },
  {
    name: 'add eax, ecx clears the upper half', code: '01c8',
    before: { registers: { rax: minusOne, rcx: 2n } },
    after: { registers: { rax: 1n }, rflags: CF | AF },
  },
  { name: 'inc keeps CF', code: '48ffc0', before: { registers: { rax: 0n }, rflags: CF }, after: { registers: { rax: 1n }, rflags: CF } },
  { name: 'shl rax, 0 keeps every flag', code: '48c1e000', before: { rflags: OF | SF | ZF | AF | PF | CF }, after: { rflags: OF | SF | ZF | AF | PF | CF } },
  { name: 'shl eax, 1', code: 'd1e0', before: { registers: { rax: 0x180000001n } }, after: { registers: { rax: 2n }, rflags: CF | OF }, undefinedFlags: AF },
  {
    name: 'imul overflows', code: '480fafc1',
    before: { registers: { rax: 1n << 62n, rcx: 2n } },
    after: { registers: { rax: top }, rflags: CF | OF }, undefinedFlags: SF | ZF | AF | PF,
  },
  {
    name: 'mul rcx', code: '48f7e1',
    before: { registers: { rax: top, rcx: 4n } },
    after: { registers: { rax: 0n, rdx: 2n }, rflags: CF | OF }, undefinedFlags: SF | ZF | AF | PF,
  },
  { name: 'div by zero', code: '48f7f1', before: { registers: { rax: 5n, rdx: 3n } }, after: fault(0) },
  { name: 'div with a quotient too large', code: '48f7f1', before: { registers: { rdx: 1n, rcx: 1n } }, after: fault(0) },
  {
    name: 'idiv rounds to zero', code: '48f7f9',
    before: { registers: { rax: minusOne - 6n, rdx: minusOne, rcx: 2n } },
    after: { registers: { rax: minusOne - 2n, rdx: minusOne } }, undefinedFlags: CF | OF | SF | ZF | AF | PF,
  },
  { name: 'push [absent] keeps rsp', code: 'ff342500202000', before: {}, after: pageFault(4, absent) },
  { name: 'push to an absent page keeps rsp', code: '50', before: { registers: { rsp: BigInt(absent + 4096) } }, after: pageFault(6, absent + 4088) },
  {
    name: 'pop [rsp] takes the address after the pop', code: '8f0424',
    before: { registers: { rsp: 0x201000n }, memory: { 0x201000: 77n } },
    after: { registers: { rsp: 0x201008n }, memory: { 0x201008: 77n } },
  },
  { name: 'push rsp pushes what it was', code: '54', before: {}, after: { registers: { rsp: stack - 8n }, memory: { [Number(stack) - 8]: stack } } },
  { name: 'mov to a read-only page', code: '4889042500402000', before: {}, after: pageFault(7, readOnly) },
  { name: "mov from the supervisor's page", code: '488b042500602000', before: {}, after: pageFault(5, supervisor) },
  { name: 'mov from across a page end, the second page absent', code: '488b0425fc1f2000', before: {}, after: pageFault(4, absent) },
  {
    name: 'mov to across a page end, the second page read-only: nothing is written', code: '48890425fc3f2000',
    before: { registers: { rax: minusOne } },
    after: pageFault(7, readOnly),
  },
  {
    name: 'mov to across a page end', code: '48890425fc0f2000',
    before: { registers: { rax: 0x1122334455667788n }, memory: { 0x200ff8: 0n, 0x201000: 0n } },
    after: { memory: { 0x200ff8: 0x5566778800000000n, 0x201000: 0x11223344n } },
  },
  {
    name: 'lock cmpxchg [rbx], rcx: equal', code: 'f0480fb10b',
    before: { registers: { rax: 5n, rbx: 0x200008n, rcx: 9n }, memory: { 0x200008: 5n } },
    after: { rflags: ZF | PF, memory: { 0x200008: 9n } },
  },
  {
    name: 'cmpxchg [rbx], rcx: not equal', code: '480fb10b',
    before: { registers: { rax: 5n, rbx: 0x200008n, rcx: 9n }, memory: { 0x200008: 4n } },
    after: { registers: { rax: 4n } },
  },
  {
    name: 'cmpxchg to a read-only page faults even when not equal', code: '480fb10b',
    before: { registers: { rax: 5n, rbx: BigInt(readOnly) } },
    after: pageFault(7, readOnly),
  },
  {
    name: 'xadd [rbx], rax', code: '480fc103',
    before: { registers: { rax: 1n, rbx: 0x200000n }, memory: { 0x200000: minusOne } },
    after: { registers: { rax: minusOne }, rflags: CF | ZF | AF | PF, memory: { 0x200000: 0n } },
  },
  {
    name: 'cmpxchg16b [rbx]', code: '480fc70b',
    before: { registers: { rax: 1n, rdx: 2n, rbx: 0x200010n, rcx: 4n, }, memory: { 0x200010: 1n, 0x200018: 2n } },
    after: { rflags: ZF, memory: { 0x200010: 0x200010n, 0x200018: 4n } },
  },
  { name: 'cmpxchg16b that is not aligned', code: '480fc70b', before: { registers: { rbx: 0x200018n } }, after: fault(13) },
  {
    name: 'rep movsb into an absent page stops in the middle', code: 'f3a4',
    before: { registers: { rcx: 16n, rsi: 0x200000n, rdi: 0x201ff8n }, memory: { 0x200000: 0x0807060504030201n, 0x201ff8: 0n } },
    after: { registers: { rcx: 8n, rsi: 0x200008n, rdi: BigInt(absent) }, memory: { 0x201ff8: 0x0807060504030201n }, ...pageFault(6, absent) },
  },
  {
    name: 'rep stosq downwards', code: 'f348ab',
    before: { registers: { rax: 7n, rcx: 2n, rdi: 0x200010n }, rflags: DF, memory: { 0x200008: 0n, 0x200010: 0n } },
    after: { registers: { rcx: 0n, rdi: 0x200000n }, rflags: DF, memory: { 0x200008: 7n, 0x200010: 7n } },
  },
  {
    name: 'repne scasb finds', code: 'f2ae',
    before: { registers: { rax: 3n, rcx: 9n, rdi: 0x200000n }, memory: { 0x200000: 0x0807060504030201n } },
    after: { registers: { rcx: 6n, rdi: 0x200003n }, rflags: ZF | PF },
  },
  { name: 'rep with rcx 0 touches nothing', code: 'f3a4', before: { registers: { rsi: 1n, rdi: 1n } }, after: {} },
  {
    name: 'bt [rbx], rcx with a negative bit', code: '480fa30b',
    before: { registers: { rbx: 0x200008n, rcx: minusOne }, memory: { 0x200000: top } },
    after: { rflags: CF }, undefinedFlags: OF | SF | AF | PF,
  },
  { name: 'popcnt', code: 'f3480fb8c1', before: { registers: { rcx: 0xf0f0n } }, after: { registers: { rax: 8n } } },
  { name: 'bsf of zero sets ZF', code: '480fbcc1', before: { registers: { rax: 5n } }, after: { rflags: ZF }, undefinedFlags: CF | OF | SF | AF | PF },
  { name: 'bswap', code: '480fc8', before: { registers: { rax: 0x0102030405060708n } }, after: { registers: { rax: 0x0807060504030201n } } },
  { name: 'leave', code: 'c9', before: { registers: { rbp: 0x200100n }, memory: { 0x200100: 42n } }, after: { registers: { rsp: 0x200108n, rbp: 42n } } },
  { name: 'xchg rax, rsp', code: '4894', before: { registers: { rax: 1n } }, after: { registers: { rax: stack, rsp: 1n } } },
  { name: 'a non-canonical address', code: '488b03', before: { registers: { rbx: 1n << 60n } }, after: fault(13) },
  { name: 'a non-canonical stack', code: '50', before: { registers: { rsp: 1n << 60n } }, after: fault(12) },
  { name: 'an alignment check', code: '488b03', before: { registers: { rbx: 0x200001n }, rflags: AC }, after: fault(17) },
  { name: 'movaps that is not aligned', code: '0f2803', before: { registers: { rbx: 0x200008n } }, after: fault(13) },
  { name: 'mov rax, fs:[8]', code: '64488b042508000000', before: { fsBase: 0x200000n, memory: { 0x200008: 6n } }, after: { registers: { rax: 6n } } },
  { name: 'int3 is behind itself', code: 'cc', before: {}, after: { rip: 1, ...fault(3) } },
  { name: 'ud2', code: '0f0b', before: {}, after: fault(6) },
  { name: 'hlt', code: 'f4', before: {}, after: fault(13) },
  { name: 'a single step', code: '90', before: { rflags: TF }, after: { rip: 1, rflags: TF, ...fault(1) } },
  { name: 'jz taken, into the bytes that follow', code: '7402', before: { rflags: ZF, branches: true }, after: { rip: 4, rflags: ZF } },
  { name: 'jz not taken', code: '7402', before: { branches: true }, after: { rip: 2 } },
  { name: 'jmp rax to data', code: 'ffe0', before: { registers: { rax: 0x200000n } }, after: { rip: 0x200000 - start, ...pageFault(0x15, 0x200000) } },
  { name: 'an instruction that goes on in an absent page', code: 'b801000000', before: { rip: 0x101ffe }, after: pageFault(0x14, 0x102000) },
  { name: 'an instruction that ends with the page', code: 'b801000000', before: { rip: 0x101ffb }, after: { registers: { rax: 1n } } },
  {
    name: 'fadd st0, st1: inexact', code: 'd8c1',
    before: { st: [[top, 0x3fff], [top, 0x3fff - 70]] },
    after: { st: [[top, 0x3fff], [top, 0x3fff - 70]], fsw: 0x20 },
  },
  {
    name: 'fdiv by zero, not masked, then fwait', code: 'd8f19b',
    before: { st: [[top, 0x3fff], [0n, 0]], fcw: 0x37b },
    after: { rip: 2, st: [[top, 0x3fff], [0n, 0]], fsw: 0x8084, ...fault(16) },
  },
  {
    name: 'sqrtsd of -1', code: 'f20f51c1',
    before: { xmm: { 1: [0xbff0000000000000n, 0n] } },
    after: { xmm: { 0: [0xfff8000000000000n, 0n] }, mxcsr: 0x1f81 },
  },
  { name: 'divsd by zero, not masked', code: 'f20f5ec1', before: { xmm: { 0: [one, 0n] }, mxcsr: 0x1d80 }, after: { mxcsr: 0x1d84, ...fault(19) } },
  {
    name: 'pshufb', code: '660f3800c1',
    before: { xmm: { 0: [0x0706050403020100n, 0x0f0e0d0c0b0a0908n], 1: [0x800f0e0d00010203n, 0x0404040484848484n] } },
    after: { xmm: { 0: [0x000f0e0d00010203n, 0x0404040400000000n] } },
  },
];

const registersOf = (given: Registers = {}): BigUint64Array => BigUint64Array.from(generalRegisters, (name) => given[name] ?? (name === 'rsp' ? stack : 0n));

function words(values: Readonly<Record<number, bigint>> = {}): { address: number; bytes: Uint8Array }[] {
  return Object.entries(values).map(([address, value]) => ({ address: Number(address), bytes: new Uint8Array(BigUint64Array.of(value).buffer) }));
}

function fxOf({ xmm = {}, st = [], fcw = 0x37f, fsw = 0, mxcsr = 0x1f80 }: State): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fcw, true);
  view.setUint16(2, fsw, true);
  view.setUint8(4, (1 << st.length) - 1);
  view.setUint32(24, mxcsr, true);
  for (const [at, [significand, exponent]] of st.entries()) {
    view.setBigUint64(32 + at * 16, significand, true);
    view.setUint16(40 + at * 16, exponent, true);
  }
  for (const [at, [low, high]] of Object.entries(xmm)) {
    view.setBigUint64(160 + Number(at) * 16, low, true);
    view.setBigUint64(168 + Number(at) * 16, high, true);
  }
  return bytes;
}

/** The case, and all that is to come of it in one comparable value. */
export function caseOf({ code, before }: Known): Case {
  return {
    code: new Uint8Array(Buffer.from(code, 'hex')), rip: before.rip ?? start, registers: registersOf(before.registers), rflags: before.rflags ?? 0,
    fx: fxOf(before),
    memory: words(before.memory), ...(before.fsBase !== undefined && { fsBase: before.fsBase }),
    ...(before.branches !== undefined && { branches: before.branches }),
  };
}

/** What the general registers, the first 464 bytes of the FXSAVE image without pointers, and changed memory have to be. */
export function expectedOf({ code, before, after }: Known): Pick<Result, 'registers' | 'rip' | 'fx' | 'changes'> & { rflags: number } {
  const length = after.exception === undefined ? code.length / 2 : 0;
  const written = Object.entries(after.memory ?? {}).map(([address, value]) => ({ address: Number(address), value }));
  const changes = written.filter(({ address, value }) => before.memory?.[address] !== value);
  return {
    registers: registersOf({ ...before.registers, ...after.registers }), rip: BigInt((before.rip ?? start) + (after.rip ?? length)),
    rflags: after.rflags ?? before.rflags ?? 0,
    fx: fxOf({ ...before, ...after, xmm: { ...before.xmm, ...after.xmm } }), changes: changes.toSorted((a, b) => a.address - b.address),
  };
}
