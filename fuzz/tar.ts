/**
 * Mutated archives. The reader gives the same whether it gets an archive whole or in pieces, within its bounds, or refuses it with a
 * DelosError of one line; and what is unpacked stays in its folder, whatever the layer says.
 * Usage: node fuzz/tar.ts [--seconds N] [--seed N]. On a find it prints seed, error and the archive in base 64, and exits with 1.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { treeLines } from '../src/layers/testing/tree-lines.ts';
import { unpackLayer } from '../src/layers/unpack.ts';
import { DelosError } from '../src/lib/errors.ts';
import type { TarEntry } from '../src/tar/entry.ts';
import { checksums } from '../src/tar/header.ts';
import { TarReader } from '../src/tar/reader.ts';
import { END, header, member, octal, padded, pax } from '../src/tar/testing/archive.ts';
import { generator, pick, type Random } from './support/generator.ts';

const NAMES = [
  'a', 'a/b', 'a/b/c', './a', '/a', '//b', 'b', 'b/c', 'l', 'l/x', 'l/../x', '..', '../x', 'a/../../x', '.', './', '', 'a/', 'a/.wh.b', '.wh.a', '.wh..wh..opq', 'l/.wh..wh..opq',
  '.wh..', '.wh...', '.wh.', 'l/.wh.x', 'x\n', '\xff', 'a'.repeat(99),
];
const TARGETS = ['a', '..', '../..', '/', '.', 'l', 'a/b', '/a', '../outside', '../../outside/file', '/proc/self/root', 'b', '', 'x'.repeat(99)];
const FLAGS = ['0', '0', '0', '\0', '1', '1', '2', '2', '2', '3', '4', '5', '5', '5', '6', '7', 'S', 'x', 'g', 'L', 'K', 'Z'];
const KEYS = [
  'path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'uname', 'SCHILY.xattr.user.a', 'SCHILY.xattr.user.overlay.opaque', 'LIBARCHIVE.xattr.user.%61', 'GNU.sparse.major', 'GNU.sparse.minor',
  'GNU.sparse.name', 'GNU.sparse.realsize', 'GNU.sparse.size', 'GNU.sparse.map', 'GNU.sparse.offset', 'GNU.sparse.numbytes', 'comment',
];
const VALUES = ['', '0', '1', '-1', '1.5', '512', '1024', '4294967295', '9007199254740991', '18446744073709551616', '0,1', '0,1,1,1', '0,3,5,9', '1\n0\n1\n', '../x', 'a', 'a\0b', 'y'];

/** An entry of any kind, mostly a sound one. */
function anyEntry(random: Random): Buffer {
  const data = 'd'.repeat(pick([0, 0, 1, 3, 511, 512, 513, 2000], random));
  const fields = { name: pick(NAMES, random), flag: pick(FLAGS, random), link: pick(TARGETS, random), magic: pick(['ustar\x0000', 'ustar  \0', ''], random) };
  switch (random(8)) {
    case 0:
      return pax(Array.from({ length: random(4) }, () => [pick(KEYS, random), pick([...VALUES, ...NAMES], random)] as const), pick(['x', 'x', 'g'], random));
    case 1:
      return member({ ...fields, flag: pick(['L', 'K'], random) }, `${pick([...NAMES, ...TARGETS], random)}\0`);
    case 2:
      return Buffer.concat([header({ ...fields, flag: 'S', size: octal(data.length), raw: [[386, octal(0)], [398, octal(data.length)], [482, pick(['\0', '\x01'], random)], [483, octal(random(5000))]] }), padded(data)]);
    case 3:
      return header({ ...fields, size: pick([octal(1), octal(513), '\x80\0\0\0\0\0\0\0\0\0\0\x05', '\xff'.repeat(12), 'x'], random) });
    default:
      return member({ ...fields, mode: pick(['0000644\0', '0000000\0', '0007777\0'], random) }, data);
  }
}

/** Changes some bytes; a header gets a right checksum again most of the time, or it would be refused at once. */
function damage(archive: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(archive);
  for (let left = random(2) * random(4); left > 0; left--) {
    const block = random(Math.max(1, bytes.length >> 9)) << 9;
    bytes[Math.min(bytes.length - 1, block + random(512))] = pick([0, 0x20, 0x2f, 0x30, 0x37, 0x80, 0xff, random(256)], random);
    const head = bytes.subarray(block, block + 512);
    if (random(5) > 0 && head.length === 512) head.write(`${checksums(head)[0].toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
  return random(12) === 0 ? bytes.subarray(0, random(bytes.length + 1)) : bytes;
}

interface Outcome {
  entries: (TarEntry & { hash: string })[];
  error: string;
}

/** Reads an archive in pieces of this length. Throws what is no refusal, or an answer beyond the bounds. */
function read(archive: Buffer, step: number): Outcome {
  const outcome: Outcome = { entries: [], error: '' };
  let hash = createHash('sha256');
  let end = 0;
  const reader = new TarReader({
    entry(entry) {
      if (entry.name === '' || entry.name.length > 4095 || entry.size < 0) throw new Error(`a bad entry: ${JSON.stringify(entry)}`);
      outcome.entries.push({ ...entry, hash: '' });
      hash = createHash('sha256');
      end = 0;
    },
    data(bytes, offset) {
      const last = outcome.entries.at(-1);
      if (bytes.length === 0 || offset < end || offset + bytes.length > (last?.size ?? 0)) throw new Error(`data at ${offset} of ${JSON.stringify(last)}`);
      end = offset + bytes.length;
      hash.update(bytes);
    },
    end: () => void Object.assign(outcome.entries.at(-1) ?? {}, { hash: hash.digest('hex') }),
  });
  try {
    for (let at = 0; at < archive.length; at += step) reader.push(archive.subarray(at, at + step));
    reader.finish();
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    if (!/^\P{Cc}{1,600}$/u.test(error.message)) throw new Error(`a message that is not one short line: ${JSON.stringify(error.message)}`, { cause: error });
    outcome.error = error.message;
  }
  return outcome;
}

const top = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-fuzz-'));

/** Unpacks into a/inside, beside which nothing may change. */
async function unpack(archive: Buffer, random: Random): Promise<void> {
  const inside = path.join(top, 'a/inside');
  fs.rmSync(path.join(top, 'a'), { recursive: true, force: true });
  fs.mkdirSync(inside, { recursive: true });
  const whiteouts = pick(['apply', 'overlay'] as const, random);
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(archive);
  };
  try {
    await unpackLayer(source(), inside, { whiteouts, overlayXattr: 'user', owners: 'mine', devices: 'skip' });
  } catch (error) {
    if (!(error instanceof DelosError) || error.code === 'unsupported') throw error;
    if (/\p{Cc}/u.test(error.message)) throw new Error(`a message of more than a line: ${JSON.stringify(error.message)}`, { cause: error });
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const random = generator(seed);
  fs.mkdirSync(path.join(top, 'outside'));
  fs.writeFileSync(path.join(top, 'outside/file'), 'outside');
  const around = (): string => [...treeLines(path.join(top, 'outside'))].join('\n');
  const before = around();
  const end = Date.now() + Number(values.seconds) * 1000;
  let [runs, sound] = [0, 0];
  for (; Date.now() < end; runs++) {
    const archive = damage(Buffer.concat([...Array.from({ length: 1 + random(8) }, () => anyEntry(random)), END]), random);
    try {
      const whole = read(archive, archive.length);
      if (whole.error === '') sound++;
      if (!isDeepStrictEqual(read(archive, 1 + random(700)), whole)) throw new Error('in pieces it is read differently');
      await unpack(archive, random);
      if (fs.readdirSync(top).sort().join() !== 'a,outside' || fs.readdirSync(path.join(top, 'a')).join() !== 'inside' || around() !== before) throw new Error('something outside was changed');
    } catch (error) {
      console.error(`seed ${seed}, run ${runs}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${archive.toString('base64')}`);
      return 1;
    }
  }
  console.log(`tar: ${runs} archives, ${sound} of them sound, seed ${seed}: each read and unpacked in its folder or refused by a DelosError`);
  return 0;
}

try {
  process.exitCode = await main();
} finally {
  fs.rmSync(top, { recursive: true, force: true });
}
