import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../registry/digest.ts';
import { parseReference } from '../registry/reference.ts';
import { chainIds } from './layers.ts';
import { withImage, type ImageRecord } from './records.ts';
import { allOf, inParallel } from './parallel.ts';

const image = (name: string): Pick<ImageRecord, 'manifest' | 'id'> => ({ manifest: digestOf(`${name} manifest`), id: digestOf(name) });
const now = new Date(0);

test('a name is of one image only; the one that had it stays', () => {
  const first = withImage([], image('a'), [parseReference('app:1'), parseReference(`app@${digestOf('x')}`)], now);
  const second = withImage(first, image('b'), [parseReference('app:1'), parseReference('app:2')], now);
  assert.deepEqual(second.map(({ id, tags, digests }) => [id, tags, digests]), [
    [digestOf('b'), ['docker.io/library/app:1', 'docker.io/library/app:2'], []], [digestOf('a'), [], [`docker.io/library/app@${digestOf('x')}`]],
  ]);
  const third = withImage(second, image('a'), [parseReference('app:2')], new Date(5));
  assert.deepEqual(
    third.map(({ tags, added }) => [tags, added]), [[['docker.io/library/app:2'], now.toISOString()], [['docker.io/library/app:1'], now.toISOString()]],
  );
});

test('chain IDs, by the example of the specification: the first is the diffID', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(digestOf) as [`sha256:${string}`, `sha256:${string}`, `sha256:${string}`];
  assert.deepEqual(chainIds([a, b, c]), [a, digestOf(`${a} ${b}`), digestOf(`${digestOf(`${a} ${b}`)} ${c}`)]);
  assert.deepEqual(chainIds([]), []);
});

test('several at once: never more than allowed, nothing new after a failure, and all have ended when it is thrown', async () => {
  let [running, most, begun, ended] = [0, 0, 0, 0];
  const work = inParallel([...Array(20).keys()], 3, async (item) => {
    begun++;
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, item === 5 ? 1 : 3));
    running--;
    ended++;
    if (item === 5) throw new Error('five');
  });
  await assert.rejects(work, { message: 'five' });
  assert.ok(most === 3 && running === 0 && begun === ended && begun < 12, `${most} ${running} ${begun} ${ended}`);
  let failures = 0;
  await assert.rejects(
    allOf([Promise.reject(new Error('first')), Promise.reject(new Error('second')), Promise.resolve()], () => failures++), { message: 'first' },
  );
  assert.equal(failures, 1);
  await inParallel([], 3, () => Promise.reject(new Error('never')));
});
