import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flowOf } from './flow.ts';
import { headOf, loopAround, type Block } from './graph.ts';

/** Blocks without instructions, by what they lead to. */
const blocks = (edges: Readonly<Record<number, readonly number[]>>): Map<number, Block> => (
  new Map(Object.entries(edges).map(([offset, successors]) => [Number(offset), { offset: Number(offset), steps: [], successors }]))
);

test('a loop with a choice inside: both ways meet behind the block that chooses', () => {
  const { order, heads, merges, children } = flowOf(blocks({ 0: [10, 20], 10: [30], 20: [30], 30: [0] }), 0);
  assert.deepEqual(order[0], 0);
  assert.deepEqual(order.at(-1), 30);
  assert.deepEqual([[...heads], [...merges]], [[0], [30]]);
  assert.deepEqual(children.get(0)?.toSorted((a, b) => a - b), [10, 20, 30]);
});

test('loops in one another have a head each', () => {
  const { heads, merges, children } = flowOf(blocks({ 0: [10], 10: [20], 20: [10, 30], 30: [0] }), 0);
  assert.deepEqual([[...heads], [...merges]], [[0, 10], []]);
  assert.deepEqual([children.get(10), children.get(20)], [[20], [30]]);
});

test('a loop that is entered in two places loses a jump', () => {
  const { heads, successors } = flowOf(blocks({ 0: [10, 20], 10: [20], 20: [10, 30], 30: [0] }), 0);
  const left = [...successors].reduce((sum, [, to]) => sum + to.length, 0);
  assert.deepEqual([...heads], [0]);
  assert.equal(left, 5);
});

test('of all that is reached, the loop is what leads back', () => {
  const all = blocks({ 0: [10], 10: [20, 40], 20: [10, 30], 30: [], 40: [0, 50], 50: [50] });
  assert.deepEqual([...loopAround(all, 0).keys()], [0, 10, 20, 40]);
  assert.deepEqual(loopAround(all, 0).get(20)?.successors, [10]);
  assert.equal(loopAround(all, 30).size, 0);
});

test('a loop is entered where the nearest jump back leads to', () => {
  const loop = blocks({ 0: [10], 10: [20], 20: [10, 30], 30: [0] });
  assert.deepEqual([headOf(loop, 20), headOf(loop, 10), headOf(loop, 0)], [10, 10, 0]);
});
