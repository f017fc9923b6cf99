import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame, FrameReader, inputFrames, sizeFrame } from './frames.ts';

test('frames come out whole however they are cut', () => {
  const sent = Buffer.from([0x31, 0, 2, 0, 104, 105, 0x32, 0, 1, 0, 33, 0x78, 0, 4, 0, 137, 0, 0, 0]);
  for (let cut = 0; cut <= sent.length; cut++) {
    const reader = new FrameReader();
    const got = [...reader.read(sent.subarray(0, cut)), ...reader.read(sent.subarray(cut))];
    assert.deepEqual(got, [
      { kind: 'output', stream: 'stdout', data: Buffer.from('hi') },
      { kind: 'output', stream: 'stderr', data: Buffer.from('!') },
      { kind: 'end', exitCode: 137 },
    ]);
  }
});

test('an unknown frame is passed over, and the next one is found', () => {
  const got = new FrameReader().read(Buffer.from([0x7a, 0, 1, 0, 9, 0x31, 0, 1, 0, 65]));
  assert.deepEqual(got, [{ kind: 'output', stream: 'stdout', data: Buffer.from('A') }]);
});

test('input is cut into frames of at most 1024 bytes', () => {
  const frames = inputFrames(Buffer.alloc(2500, 7));
  assert.equal(frames.length, 2500 + 3 * 4);
  assert.deepEqual([frames[0], frames.readUInt16LE(2), frames.readUInt16LE(2 * 1028 + 2)], [0x69, 1024, 452]);
});

test('sizes and marks', () => {
  assert.deepEqual(sizeFrame(24, 300), Buffer.from([0x72, 0, 4, 0, 24, 0, 44, 1]));
  assert.deepEqual(frame('e'), Buffer.from([0x65, 0, 0, 0]));
});
