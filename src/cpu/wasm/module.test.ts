import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Code, signed, unsigned } from './code.ts';
import { ModuleWriter, type Signature } from './module.ts';
import { lane, memory, plain, vector } from './opcodes.ts';

const unary: Signature = { parameters: ['i64'], results: ['i64'] };

function instantiate(module: ModuleWriter, imports: WebAssembly.Imports = {}): Readonly<Record<string, CallableFunction>> {
  return new WebAssembly.Instance(new WebAssembly.Module(module.encode()), imports).exports as unknown as Record<string, CallableFunction>;
}

test('numbers are LEB128', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    const bytes: number[] = [];
    signed(bytes, value);
    let back = 0n;
    bytes.forEach((byte, at) => { back |= BigInt(byte & 0x7f) << BigInt(7 * at); });
    assert.equal(BigInt.asIntN(Math.min(7 * bytes.length, 64), back), value);
  }));
  const bytes: number[] = [];
  unsigned(bytes, 0xffffffff);
  assert.deepEqual(bytes, [0xff, 0xff, 0xff, 0xff, 0x0f]);
});

test('a function counts, branches, calls through the table, and reads memory', () => {
  const module = new ModuleWriter();
  const ram = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  module.importMemory('env', 'memory', { initial: 1, maximum: 1, shared: true });
  const doubled = module.importFunction('env', 'double', unary);
  const sum = new Code(1);
  const total = sum.local('i64');
  const top = sum.depth;
  sum.loop().get(total).get(0).op('i64.add').set(total).get(0).i64(1n).op('i64.sub').tee(0).i64(0n).op('i64.ne').branch(top, true).end().get(total);
  const chosen = new Code(1).get(0).i32(1).callIndirect(module.type(unary)).i32(8).access('i64.load', 8).op('i64.add');
  const sumIndex = module.function(unary, sum);
  module.table([doubled, sumIndex]);
  module.exportFunction('run', module.function(unary, chosen));
  new DataView(ram.buffer).setBigInt64(16, 5n, true);
  const { run } = instantiate(module, { env: { memory: ram, double: (value: bigint) => 2n * value } });
  assert.equal(run?.(100n), 5055n);
});

test('every instruction of the tables is one that WebAssembly knows', () => {
  const stack = (name: string): Code => new Code(0).i32(0).op('drop').op(name);
  const known = (code: Code): boolean => {
    const module = new ModuleWriter();
    module.importMemory('env', 'memory', { initial: 1, maximum: 1, shared: false });
    // Unreachable code takes any operands, so only the opcode itself can be wrong.
    module.function({ parameters: [], results: [] }, code);
    return WebAssembly.validate(module.encode());
  };
  const unreachable = (): Code => new Code(0).op('unreachable');
  const results = (name: string): string[] => (/store|^nop|^drop|^return|^unreachable/.test(name) ? [] : ['drop']);
  for (const name of [...plain.keys(), ...vector.keys()].filter((each) => each !== 'i8x16.shuffle' && each !== 'select')) {
    assert.ok(known(unreachable().op(name, ...results(name))), name);
  }
  for (const name of memory.keys()) assert.ok(known(unreachable().access(name).op(...results(name))), name);
  for (const name of lane.keys()) assert.ok(known(unreachable().lane(name, 0).op('drop')), name);
  assert.ok(!known(stack('i64.add')));
});
