import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeRequest, maxRequest, parseRequest, requestSize, type PlannerRequest } from './protocol.ts';

const request: PlannerRequest = { build: { inode: 2n ** 63n + 1n, changed: 5n }, cwd: '/a b', argv: ['state', '', 'ü'], env: { A: '1', B: '2=3', C: '' } };

/** A request with these strings, whatever its header says. */
function withStrings(count: number, variables: number, strings: readonly string[]): Uint8Array {
  const bytes = encodeRequest({ ...request, cwd: strings[0] ?? '', argv: strings.slice(1), env: {} });
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(8, count, true);
  view.setUint32(12, variables, true);
  return bytes;
}

test('a request is read as it was written', () => {
  const bytes = encodeRequest(request);
  assert.equal(requestSize(bytes), bytes.length);
  assert.deepEqual(parseRequest(bytes), request);
});

test('its size is known from its header on, and is within bounds', () => {
  const bytes = Buffer.from(encodeRequest(request));
  assert.equal(requestSize(bytes.subarray(0, 31)), undefined);
  assert.equal(requestSize(bytes.subarray(0, 32)), bytes.length);
  for (const size of [0, 31, maxRequest + 1, 0xffffffff]) {
    bytes.writeUInt32LE(size, 4);
    assert.throws(() => requestSize(bytes));
  }
  assert.throws(() => requestSize(Buffer.alloc(32)));
});

test('strings that are not as many as it says are refused', () => {
  for (const [count, variables] of [[2, 0], [0, 0], [0, 2], [0xffffffff, 0], [0xffffffff, 3], [1, 0xffffffff]] as const) {
    assert.throws(() => parseRequest(withStrings(count, variables, ['/', 'A=1'])), `${count} ${variables}`);
  }
  assert.throws(() => parseRequest(encodeRequest(request).subarray(0, -1)));
});

test('the environment is read as getenv reads it', () => {
  const { env } = parseRequest(withStrings(0, 6, ['/', 'A=1', 'A=2', 'none', '=C:=d', '__proto__=x', 'B=']));
  assert.deepEqual(Object.entries(env).toSorted(), [['=C:', 'd'], ['A', '1'], ['B', ''], ['__proto__', 'x']]);
});

test('property: any bytes are a request with as many strings as it says, or refused', () => {
  const size = fc.constantFrom(32, 40, 31, maxRequest, 0xffffffff);
  const count = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constantFrom(0x7fffffff, 0xffffffff) });
  const header = fc.tuple(fc.constantFrom(0x32504c44, 0x31504c44), size, count, count);
  const bytesOfStrings = fc.array(fc.constantFrom(0, 0, 0x3d, 0x41, 0xff), { maxLength: 8 }).map((strings) => [...strings, 0]);
  let read = 0;
  fc.assert(fc.property(header, bytesOfStrings, (words, strings) => {
    const bytes = Buffer.concat([new Uint8Array(new Uint32Array(words).buffer), Buffer.alloc(16), Buffer.from(strings)]);
    let found: PlannerRequest;
    try {
      requestSize(bytes);
      found = parseRequest(bytes);
    } catch {
      return;
    }
    assert.equal(words[0], 0x32504c44);
    assert.equal(found.argv.length, words[2]);
    assert.ok(Object.keys(found.env).length <= words[3]);
    read++;
  }), { numRuns: 1000 });
  assert.ok(read > 0, 'some are read');
});
