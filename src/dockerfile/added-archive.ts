import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { decompressed } from '../layers/decompress.ts';
import { pathOf, placeOf, whiteoutOf } from '../layers/names.ts';
import { childOf, type TreeNode } from '../layers/walk.ts';
import { DelosError } from '../lib/errors.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import { tarEntries } from '../tar/entries.ts';
import { BLOCK } from '../tar/entry.ts';
import { isZero, readHeader } from '../tar/header.ts';
import type { ArchiveItem } from './tree-archive.ts';

/** What docker unpacks and Node cannot, by how it begins: the programs that can, and Debian's packages of them. */
const foreign: readonly { readonly name: string; readonly package: string; readonly magic: Buffer }[] = [
  { name: 'xz', package: 'xz-utils', magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  { name: 'bzip2', package: 'bzip2', magic: Buffer.from('BZh') },
];

/** Whether ADD unpacks a file: a tar, as it is or packed by gzip, zstd, xz or bzip2. @throws DelosError unsupported without the program for it */
export async function isArchive(node: TreeNode): Promise<boolean> {
  try {
    const block = await beginning(await plainBytes(node), BLOCK);
    if (block.length < BLOCK || isZero(block)) return false;
    readHeader(block, 0);
    return true;
  } catch (error) {
    // What only looks like an archive is a file like others.
    if (error instanceof DelosError && error.code === 'bad-archive') return false;
    throw error;
  }
}

/** Its entries, below a folder. @throws DelosError bad-archive, and unsupported for names that a layer takes for whiteouts */
export async function* unpacked(node: TreeNode, target: ByteString): AsyncGenerator<ArchiveItem> {
  for await (const entry of tarEntries(await plainBytes(node))) {
    const place = placeOf(entry.name);
    // The folder itself: the image's own root stays as it is.
    if (place.base === '' && (target === '' || entry.type !== 'directory')) continue;
    if (whiteoutOf(place.base) !== undefined) throw new DelosError('unsupported', `${quoted(entry.name)} cannot be put into a layer: it would be a whiteout there`);
    const linkName = entry.type === 'link' ? childOf(target, pathOf(placeOf(entry.linkName))) : entry.linkName;
    const name = place.base === '' ? target : childOf(target, pathOf(place));
    yield { entry: { ...entry, name, linkName, uname: '', gname: '', pieces: undefined }, content: entry.data() };
  }
}

async function plainBytes(node: TreeNode): Promise<AsyncIterable<Uint8Array>> {
  const head = await beginning(streamOf(node), 6);
  const packer = foreign.find(({ magic }) => head.subarray(0, magic.length).equals(magic));
  return packer === undefined ? decompressed(streamOf(node)) : throughProgram(node, packer);
}

/** What the program makes of a file. @throws DelosError unsupported where there is no such program, bad-archive when it fails */
async function* throughProgram(node: TreeNode, packer: (typeof foreign)[number]): AsyncGenerator<Uint8Array> {
  const file = node.openFile();
  const child = spawn(packer.name, ['-dc'], { stdio: [file, 'pipe', 'ignore'] });
  fs.closeSync(file);
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code ?? -1));
  });
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    const result = await ended;
    if (result instanceof Error) {
      throw new DelosError('unsupported', `the file ${quoted(node.path)} is packed by ${packer.name}, which is not installed (Debian: ${packer.package}); COPY takes it as it is`);
    }
    if (result !== 0) throw new DelosError('bad-archive', `the file ${quoted(node.path)} is damaged: ${packer.name} ended with ${result}`);
  } finally {
    child.kill('SIGKILL');
  }
}

function streamOf(node: TreeNode): AsyncIterable<Uint8Array> {
  return fs.createReadStream('', { fd: node.openFile(), start: 0, highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>;
}

/** At most so many bytes. */
async function beginning(stream: AsyncIterable<Uint8Array>, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
