import assert from 'node:assert/strict';
import { test } from 'node:test';
import { struct } from '../src/lib/layout.ts';
import { compile } from './abi/compile.ts';
import { factsOf } from './abi/facts.ts';
import { verifyColumns, verifyExports } from './abi/verify.ts';

test('constants, layouts and the calls of plans are those of the C headers', async () => {
  const { other, same } = await verifyExports();
  assert.deepEqual(other, []);
  assert.ok(same.length > 300, `only ${same.length} were found in the headers`);
});

test('the table of all system calls is that of the C headers, in three ABIs', async () => {
  const { other, same } = await verifyColumns();
  assert.deepEqual(other, []);
  assert.ok(same.length > 1000, `only ${same.length} were found in the headers`);
});

test('a wrong constant, a wrong offset and a wrong size are found; an unknown name is told apart', async () => {
  const wrong = struct('open_how', { flags: 'u32', mode: 'u64', resolve: 'u32' });
  const facts = [
    ...factsOf('a.ts', 'MS_NOSUID', 4),
    ...factsOf('a.ts', 'MS_NODEV', 4),
    ...factsOf('a.ts', 'MS_NO_SUCH_FLAG', 4),
    ...factsOf('a.ts', 'open_how', { ...wrong, fields: { ...wrong.fields, mode: { type: 'u64', offset: 4 } } }),
  ];
  const { same, other, unknown } = await compile(facts, ['linux/mount.h', 'linux/openat2.h']);
  assert.deepEqual(other.map(({ source }) => source), ['a.ts: MS_NOSUID', 'a.ts: open_how.mode']);
  assert.deepEqual(unknown.map(({ source }) => source), ['a.ts: MS_NO_SUCH_FLAG']);
  assert.deepEqual(same.map(({ source }) => source), ['a.ts: MS_NODEV', 'a.ts: open_how.flags', 'a.ts: open_how.resolve', 'a.ts: open_how, its size']);
});

test('what must not be defined differs as soon as it is', async () => {
  const facts = ['__NR_read', '__NR_no_such_call'].map((expression) => ({ source: expression, expression, expected: 'undefined' as const }));
  const { same, other } = await compile(facts, ['asm/unistd.h']);
  assert.deepEqual([same[0]?.source, other[0]?.source], ['__NR_no_such_call', '__NR_read']);
});

test('headers that do not compile are no verdict', async () => {
  await assert.rejects(compile([], ['linux/no-such-header.h']), /headers do not compile/);
});
