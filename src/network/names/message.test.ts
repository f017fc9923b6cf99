import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOfReverse } from './directory.ts';
import { Frames, framed } from './forward.ts';
import { encodeFailure, encodeName, encodeResponse, MalformedName, readName, readQuery } from './message.ts';

const query = Buffer.from('1234010000010000000000000377656203636f6d0000010001', 'hex');

test('a query is read, and answered byte for byte', () => {
  const read = readQuery(query);
  assert.deepEqual(read, { id: 0x1234, opcode: 0, recursionDesired: true, question: { name: 'web.com', type: 1, class: 1 }, questionEnd: 25, size: 512 });
  const response = encodeResponse(query, read, 0, [{ type: 1, data: Uint8Array.of(10, 0, 0, 2) }], 512);
  assert.equal(Buffer.from(response).toString('hex'), '1234858000010001000000000377656203636f6d0000010001c00c000100010000000500040a000002');
});

test('answers that do not fit are left out, with the truncation bit', () => {
  const answers = Array.from({ length: 40 }, () => ({ type: 1, data: Uint8Array.of(10, 0, 0, 2) }));
  const response = Buffer.from(encodeResponse(query, readQuery(query), 0, answers, 512));
  assert.equal(response.length, 25 + 30 * 16);
  assert.equal(response.readUInt16BE(6), 30);
  assert.equal(response.readUInt16BE(2) & 0x200, 0x200);
});

test('EDNS tells the size of a datagram', () => {
  const opt = Buffer.concat([query.subarray(0, 10), Buffer.from('0001', 'hex'), query.subarray(12), Buffer.from('00002904d000000000000000', 'hex').subarray(0, 11)]);
  assert.equal(readQuery(opt).size, 1232);
});

test('what is no query is refused, a response most of all', () => {
  const response = Buffer.from(query);
  response[2] = 0x81;
  for (const bytes of [new Uint8Array(), query.subarray(0, 11), query.subarray(0, 20), query.subarray(0, 23), response]) assert.throws(() => readQuery(bytes), MalformedName);
  assert.equal(encodeFailure(response, 1), undefined, 'no answer to an answer');
  assert.equal(Buffer.from(encodeFailure(query.subarray(0, 20), 1) ?? []).toString('hex'), '123481810000000000000000');
});

test('compressed names are read, loops and pointers ahead are not', () => {
  const bytes = Buffer.from(['000000000000000000000000', '03777777c012', '0377656203636f6d00', 'c012'].join(''), 'hex');
  assert.deepEqual(readName(bytes, 27), { name: 'web.com', end: 29 });
  assert.throws(() => readName(bytes, 12), /does not lead back/, 'ahead');
  assert.throws(() => readName(Buffer.from('c000', 'hex'), 0), /does not lead back/, 'itself');
  assert.throws(() => readName(Buffer.from('0161c000', 'hex'), 0), /does not lead back/, 'its own beginning');
  assert.throws(() => readName(Buffer.from('0161c0020161c000', 'hex'), 4), MalformedName);
  assert.throws(() => readName(Buffer.from('40', 'hex'), 0), MalformedName, 'a label type that does not exist');
  assert.throws(() => readName(Buffer.concat([...Array.from({ length: 5 }, () => Buffer.concat([Uint8Array.of(63), Buffer.alloc(63, 97)])), Uint8Array.of(0)]), 0), /too long/);
});

test('names go there and back, dots in labels too', () => {
  for (const name of ['', 'a', 'web.example.org', 'a\\.b.c', 'x\\\\y']) assert.equal(readName(encodeName(name) ?? assert.fail(name), 0).name, name);
  assert.equal(encodeName('a'.repeat(64)), undefined);
  assert.equal(encodeName(Array.from({ length: 130 }, () => 'a').join('.')), undefined);
});

test('reverse names', () => {
  assert.deepEqual(addressOfReverse('2.0.210.10.in-addr.arpa'), Uint8Array.of(10, 210, 0, 2));
  assert.equal(addressOfReverse('0.210.10.in-addr.arpa'), undefined);
  assert.equal(Buffer.from(addressOfReverse(`2.${'0.'.repeat(23)}0.0.0.0.0.0.d.f.ip6.arpa`) ?? []).toString('hex'), 'fd000000000000000000000000000002');
});

test('frames of a stream, however it is cut', () => {
  const stream = Buffer.concat([framed(Uint8Array.of(1, 2, 3)), framed(new Uint8Array()), framed(Uint8Array.of(4))]);
  for (let size = 1; size <= stream.length; size++) {
    const frames = new Frames();
    const messages: Uint8Array[] = [];
    for (let from = 0; from < stream.length; from += size) messages.push(...frames.push(stream.subarray(from, from + size)));
    assert.deepEqual(messages.map((message) => [...message]), [[1, 2, 3], [], [4]]);
  }
});
