import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solutions } from '../solutions/index.ts';
import { grade } from './grade.ts';
import { forbiddenIn, forbiddenInSolution } from './norm.ts';
import { table } from './table.ts';

test('the table is worth 100 points', () => {
  assert.equal(table.reduce((sum, { points = 0 }) => sum + points, 0), 100);
});

for (const { name, solution, passes } of solutions) {
  test(`${name} ${passes ? 'passes' : 'is killed'}`, () => {
    const { passed, groups } = grade(solution);
    const faults = groups.flatMap(({ results }) => results.flatMap(({ check, fault }) => fault === undefined ? [] : [`${check.name}: ${fault}`]));
    assert.equal(passed, passes, faults.join('\n'));
  });
}

test('points alone do not pass: what is wrong with memory blocks', () => {
  const leaky = grade(solutions.find(({ name }) => name === 'mutant-c')?.solution ?? assert.fail());
  assert.deepEqual([leaky.score, leaky.passed], [100, false]);
});

test('the norm finds calls and imports, and not words that only look like them', () => {
  assert.deepEqual(forbiddenIn("kvm_open(); this.kvm_close(kvm); // open()\nprintf('ioctl(') /* fork() */; reopen(); x.opened();"), []);
  assert.deepEqual(forbiddenIn('open("/dev/kvm"); libc.close (fd); ioctl(1); fork(); execve(path);'), ['open', 'close', 'ioctl', 'fork', 'execve']);
  assert.deepEqual(forbiddenIn("import fs from 'node:fs';\nimport type { Solution } from './x.ts';\nprocess.exit()"), ["import 'node:fs'", 'process']);
  assert.deepEqual(forbiddenInSolution({ kvm_open: () => null }), []);
});
