import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../registry/digest.ts';
import { Arrival } from './arrival.ts';
import { blobFile, openStore, partialFile, type ImageStore } from './store.ts';

const content = Buffer.alloc(700_000, 'of a layer ');
const blob = { mediaType: '', digest: digestOf(content), size: content.length };

/** A store, and a blob that arrives in it as far as `write` was told. */
function arriving(): { readonly arrival: Arrival; write(bytes: Uint8Array): void; rename(): void; [Symbol.dispose](): void } {
  const store: ImageStore = openStore(fs.mkdtempSync(path.join(os.tmpdir(), 'delos-arrival-')));
  const arrival = new Arrival(store, blob);
  const partial = partialFile(store, blob.digest);
  return {
    arrival,
    write(bytes) {
      fs.writeFileSync(partial, bytes);
      arrival.wrote(bytes.length);
    },
    rename: () => fs.renameSync(partial, blobFile(store, blob.digest)),
    [Symbol.dispose]: () => fs.rmSync(store.root, { recursive: true }),
  };
}

async function collect(arrival: Arrival): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of arrival.bytes()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a blob is read as it is written, and ends when it is whole', async () => {
  using blob = arriving();
  let isRead = false;
  const reading = collect(blob.arrival).finally(() => {
    isRead = true;
  });
  for (const end of [1, 262_144, 300_000, content.length]) {
    blob.write(content.subarray(0, end));
    await turn();
  }
  assert.equal(isRead, false, 'all is there, and not verified');
  blob.rename();
  blob.arrival.finish();
  assert.deepEqual(await reading, content);
});

test('one that was there before is read from its place', async () => {
  using blob = arriving();
  blob.write(content);
  blob.rename();
  blob.arrival.finish();
  assert.deepEqual(await collect(blob.arrival), content);
});

test('what was read is void when the blob is fetched anew', async () => {
  using blob = arriving();
  blob.write(Buffer.alloc(500_000, 'something else'));
  const reading = collect(blob.arrival);
  await turn();
  blob.write(Buffer.alloc(0));
  blob.write(content);
  blob.rename();
  blob.arrival.finish();
  await assert.rejects(reading, /is fetched anew/);
  assert.equal(blob.arrival.isBegunAnew, true);
});

test('a reader that waits hears of a failure', async () => {
  using blob = arriving();
  const [reading, waiting] = [collect(blob.arrival), blob.arrival.whole()];
  blob.write(content.subarray(0, 1000));
  blob.arrival.fail(new RangeError('the line is dead'));
  await assert.rejects(reading, { message: 'the line is dead' });
  await assert.rejects(waiting, RangeError);
});
