import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { END, member, octal, pax } from '../tar/testing/archive.ts';
import { Sandbox, source } from './testing/sandbox.ts';
import { unpackLayer } from './unpack.ts';

const options = { whiteouts: 'apply', owners: 'mine' } as const;
const archive = Buffer.concat([member({ name: 'a' }, 'x'.repeat(300_000)), member({ name: 'd/b' }, 'bb'), END]);
const diffId = `sha256:${createHash('sha256').update(archive).digest('hex')}`;

/** A buffer in pieces. */
function cut(bytes: Buffer, step: number): AsyncGenerator<Uint8Array> {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) parts.push(bytes.subarray(at, at + step));
  return source(parts);
}

const half = 150_001;
const compressed: Record<string, Buffer> = {
  plain: archive,
  gzip: zlib.gzipSync(archive),
  'gzip of two members': Buffer.concat([zlib.gzipSync(archive.subarray(0, half)), zlib.gzipSync(archive.subarray(half))]),
  zstd: zlib.zstdCompressSync(archive),
  'zstd of two frames': Buffer.concat([zlib.zstdCompressSync(archive.subarray(0, half)), zlib.zstdCompressSync(archive.subarray(half))]),
  'zstd behind a skippable frame': Buffer.concat([Buffer.from('502a4d180400000064656c6f', 'hex'), zlib.zstdCompressSync(archive)]),
};

for (const [name, bytes] of Object.entries(compressed)) {
  test(`a layer in ${name} is told by its first bytes, in pieces of any size`, async () => {
    for (const step of [1000, 3, bytes.length]) {
      using sandbox = new Sandbox();
      const result = await unpackLayer(cut(bytes, step), sandbox.inside, options);
      assert.deepEqual(result, { diffId, size: archive.length, compressedSize: bytes.length, entries: 2, opaqueRoot: false, skipped: [] });
      assert.equal(fs.statSync(path.join(sandbox.inside, 'a')).size, 300_000);
    }
  });
}

test('what is damaged or cut off is refused in one line', async () => {
  for (const [name, bytes] of Object.entries(compressed)) {
    using sandbox = new Sandbox();
    const refusal = { name: 'DelosError', code: 'bad-archive', message: /^[^\n]+$/ };
    await assert.rejects(unpackLayer(cut(bytes.subarray(0, bytes.length * 0.4), 1000), sandbox.inside, options), refusal, `${name}, cut`);
    const damaged = Buffer.from(bytes);
    damaged.fill(0x5a, bytes.length >> 1, (bytes.length * 3) >> 2);
    if (name !== 'plain') await assert.rejects(unpackLayer(cut(damaged, 1000), sandbox.inside, options), refusal, `${name}, damaged`);
  }
});

test("the source's own errors and an abort come through as they are", async () => {
  using sandbox = new Sandbox();
  for (const bytes of [archive, compressed['gzip']!]) {
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 200);
      await Promise.reject(new RangeError('the line is dead'));
    };
    await assert.rejects(unpackLayer(broken(), sandbox.inside, options), { name: 'RangeError', message: 'the line is dead' });
  }
  await assert.rejects(unpackLayer(cut(archive, 1000), sandbox.inside, { ...options, signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' });
});

test('the source is ended when the layer is refused', async () => {
  using sandbox = new Sandbox();
  for (const bytes of [compressed['plain']!, compressed['gzip']!, compressed['zstd']!]) {
    let isEnded = false;
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        yield* cut(bytes, 50);
        for (;;) yield await Promise.resolve(Buffer.alloc(50));
      } finally {
        isEnded = true;
      }
    };
    await assert.rejects(unpackLayer(endless(), sandbox.inside, { ...options, limits: { entries: 1 } }), { name: 'DelosError' });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isEnded, true);
  }
});

test('a bomb is refused before it is written', async () => {
  using sandbox = new Sandbox();
  const size = 80 * 1024 * 1024;
  const bomb = zlib.gzipSync(Buffer.concat([member({ name: 'bomb', size: octal(size) }), Buffer.alloc(size), END]));
  await assert.rejects(unpackLayer(cut(bomb, 65536), sandbox.inside, { ...options, limits: { ratio: 100 } }), { code: 'too-large', message: /compressed more than 100 times/ });
  await assert.rejects(unpackLayer(cut(bomb, 65536), sandbox.inside, { ...options, limits: { bytes: 1_000_000 } }), { code: 'too-large' });
  assert.ok((fs.statSync(path.join(sandbox.inside, 'bomb'), { throwIfNoEntry: false })?.size ?? 0) <= 68 * 1024 * 1024);
});

test('modes with setuid, times with nanoseconds on both sides of 1970, holes', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([
    member({ name: 'd', flag: '5', mode: '0002700\0', mtime: octal(77) }), pax([['mtime', '1700000000.123456789']]), member({ name: 'd/f', mode: '0004755\0' }, 'x'),
    pax([['mtime', '-1.5']]), member({ name: 'd/l', flag: '2', link: 'nowhere' }), pax([['GNU.sparse.size', '10000000'], ['GNU.sparse.map', '5000000,3']]), member({ name: 'd/s' }, 'abc'),
    member({ name: 'd/h', flag: '1', link: 'd/f' }), member({ name: 'd/zero', mode: '0000000\0' }),
  ]);
  const stat = (name: string): fs.BigIntStats => fs.lstatSync(path.join(sandbox.inside, name), { bigint: true });
  assert.deepEqual(['d', 'd/f', 'd/zero'].map((name) => (stat(name).mode & 0o7777n).toString(8)), ['2700', '4755', '0']);
  assert.deepEqual(['d', 'd/f', 'd/l'].map((name) => stat(name).mtimeNs), [77_000_000_000n, 1_700_000_000_123_456_789n, -1_500_000_000n]);
  assert.equal(stat('d/h').ino, stat('d/f').ino);
  assert.ok(stat('d/s').blocks * 512n < 1_000_000n);
  const bytes = fs.readFileSync(path.join(sandbox.inside, 'd/s'));
  assert.deepEqual([bytes.length, bytes.indexOf('abc'), bytes.filter((byte) => byte !== 0).length], [10_000_000, 5_000_000, 3]);
});

test('folders and files that were there keep their times when something is put beside them', async () => {
  using sandbox = new Sandbox();
  fs.mkdirSync(path.join(sandbox.inside, 'd'));
  fs.utimesSync(path.join(sandbox.inside, 'd'), 1000, 1000);
  fs.utimesSync(sandbox.inside, 2000, 2000);
  await sandbox.unpack([member({ name: 'd/f' }, 'x'), member({ name: 'g' }, 'x')]);
  assert.deepEqual([fs.statSync(path.join(sandbox.inside, 'd')).mtimeMs, fs.statSync(sandbox.inside).mtimeMs], [1_000_000, 2_000_000]);
});

test('bytes of names are kept, whatever encoding they are in', async () => {
  using sandbox = new Sandbox();
  await sandbox.unpack([member({ name: 'latin\xe9' }, 'l'), member({ name: 'utf\xc3\xa9', flag: '2', link: '\xff\xfe' })]);
  assert.deepEqual(Object.keys(sandbox.files).sort(), ['latin\xe9', 'utf\xc3\xa9']);
  assert.equal(fs.readlinkSync(path.join(sandbox.inside, 'utfé'), 'latin1'), '\xff\xfe');
});
