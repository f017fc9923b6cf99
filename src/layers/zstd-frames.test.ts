import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { ZstdFrames } from './zstd-frames.ts';

const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag, ZSTD_c_compressionLevel } = zlib.constants;

const frame = (bytes: Buffer, checksum = 0, size = 1): Buffer => zlib.zstdCompressSync(bytes, {
  params: { [ZSTD_c_checksumFlag]: checksum, [ZSTD_c_contentSizeFlag]: size, [ZSTD_c_compressionLevel]: 3 },
});
const noise = Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 2654435761) >>> 13));
const frames = [
  frame(Buffer.from('x')), frame(noise, 1), frame(Buffer.alloc(300_000), 1, 0), Buffer.from('5f2a4d1800000000', 'hex'), frame(Buffer.alloc(0)),
  Buffer.concat([Buffer.from('502a4d18', 'hex'), Buffer.from([255, 0, 0, 0]), Buffer.alloc(255, 0x28)]), frame(noise.subarray(0, 70_000), 0, 0),
];
const stream = Buffer.concat(frames);

test('frames of all kinds are cut where they end, in chunks of any size', () => {
  const ends = frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length);
  for (const step of [1, 2, 3, 7, 1000, 65536, stream.length]) {
    const cutter = new ZstdFrames();
    const found: number[] = [];
    let at = 0;
    for (let start = 0; start < stream.length; start += step) {
      for (const piece of cutter.cut(stream.subarray(start, start + step))) {
        assert.ok(piece.length > 0);
        at += piece.length;
        if (cutter.isBetween) found.push(at);
      }
    }
    assert.deepEqual(found, ends, `${step} bytes at a time`);
    assert.equal(at, stream.length);
  }
});

test('a stream that stops within a frame is not between frames', () => {
  for (const length of [1, 3, 4, 5, 9, stream.length - 1]) {
    const cutter = new ZstdFrames();
    for (const piece of cutter.cut(stream.subarray(0, length))) void piece;
    assert.equal(cutter.isBetween, false, String(length));
  }
});

test('what is no frame is refused', () => {
  assert.throws(() => [...new ZstdFrames().cut(Buffer.from('not zstd'))], { code: 'bad-archive', message: /no frame begins/ });
  assert.throws(() => [...new ZstdFrames().cut(Buffer.concat([frames[0]!, Buffer.from('rubbish')]))], { code: 'bad-archive' });
});
