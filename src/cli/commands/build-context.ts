import fs from 'node:fs';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { errnoOf } from '../../cgroup/control-file.ts';
import { ignoreNothing, parseIgnore, type Ignored } from '../../dockerfile/ignore.ts';
import { lockNew } from '../../images/file-lock.ts';
import type { ImageStore } from '../../images/store.ts';
import { decompressed } from '../../layers/decompress.ts';
import { unpackLayer } from '../../layers/unpack.ts';
import { DelosError } from '../../lib/errors.ts';
import { shown } from '../../registry/shown.ts';
import { readInside } from '../../sys/read-inside.ts';
import { isZero, readHeader } from '../../tar/header.ts';

/** What a build starts from. Disposing of it removes what was unpacked for it. */
export interface BuildContext extends Disposable {
  readonly dockerfile: { readonly name: string; readonly text: string };
  readonly context?: { readonly folder: string; readonly ignored: Ignored };
}

/** More is no Dockerfile. */
const mostBytes = 4 << 20;

/**
 * Opens the context that a word of the command line names: a folder, or `-` for a tar or a Dockerfile on stdin.
 * @param file `--file`: from where the caller stands; of a tar, within it
 * @throws DelosError bad-usage, not-found, bad-archive, bad-dockerfile
 */
export async function openContext(store: ImageStore, word: string, file: string | undefined): Promise<BuildContext> {
  if (word === '-') return fromStdin(store, file);
  if (/^(https?|git|ssh):\/\/|^git@/.test(word)) throw new DelosError('unsupported', `${shown(word)} is remote: expected a folder, or - for a tar on stdin`);
  const folder = realFolder(word);
  const dockerfile = file === undefined ? inFolder(folder, 'Dockerfile', word) : await namedFile(file);
  return { dockerfile, context: { folder, ignored: ignoredIn(folder, file) }, [Symbol.dispose]: () => undefined };
}

function realFolder(word: string): string {
  const found = fs.statSync(word, { throwIfNoEntry: false });
  if (found === undefined) throw new DelosError('not-found', `the context ${shown(word)} is not there: expected a folder, or - for a tar on stdin`);
  if (!found.isDirectory()) throw new DelosError('bad-usage', `the context ${shown(word)} is a file: expected a folder, or - for a tar on stdin`);
  return fs.realpathSync(word);
}

function inFolder(folder: string, name: string, word: string): { name: string; text: string } {
  const text = readInside(folder, name);
  if (text === '') throw new DelosError('not-found', `${shown(word)} has no ${shown(name)}, or an empty one: name another with --file`);
  return { name, text };
}

async function namedFile(file: string): Promise<{ name: string; text: string }> {
  const name = file === '-' ? 'Dockerfile' : path.basename(file);
  try {
    const bytes = file === '-' ? await buffer(process.stdin) : fs.readFileSync(file);
    if (bytes.length > mostBytes) throw new DelosError('too-large', `${shown(file)} has ${bytes.length} bytes; a Dockerfile has at most ${mostBytes}`);
    return { name, text: bytes.toString('utf8') };
  } catch (cause) {
    if (cause instanceof DelosError) throw cause;
    throw new DelosError('not-found', `--file ${shown(file)}: cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
  }
}

/** The .dockerignore beside the Dockerfile of another name goes before that of the context. */
function ignoredIn(folder: string, file: string | undefined): Ignored {
  const own = file === undefined || file === '-' ? undefined : `${file}.dockerignore`;
  if (own !== undefined && fs.existsSync(own)) return parseIgnore(fs.readFileSync(own, 'utf8'), path.basename(own));
  const text = readInside(folder, '.dockerignore');
  return text === '' ? ignoreNothing : parseIgnore(text, '.dockerignore');
}

async function fromStdin(store: ImageStore, file: string | undefined): Promise<BuildContext> {
  if (file === '-') throw new DelosError('bad-usage', 'conflicting options: --file - and the context -, which both read stdin');
  if (process.stdin.isTTY) throw new DelosError('bad-usage', 'a context does not come from a terminal: redirect stdin, or name a folder');
  const stream = process.stdin as AsyncIterable<Uint8Array>;
  const { head, rest } = await split(decompressed(stream), 512);
  if (!isTar(head)) {
    const text = Buffer.concat([head, await buffer(rest)]);
    if (text.length > mostBytes) throw new DelosError('bad-archive', 'stdin is neither a tar nor a Dockerfile');
    return { dockerfile: { name: 'Dockerfile', text: text.toString('utf8') }, [Symbol.dispose]: () => undefined };
  }
  return unpackedContext(store, chained(head, rest), file ?? 'Dockerfile');
}

/** In the store's working folder, where it is swept if this process is killed. */
async function unpackedContext(store: ImageStore, tar: AsyncIterable<Uint8Array>, file: string): Promise<BuildContext> {
  const { file: lockPath, lock } = lockNew(path.join(store.root, 'unpacking', 'context'), '.lock');
  const folder = lockPath.slice(0, -'.lock'.length);
  const remove = (): void => {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(lockPath, { force: true });
    lock[Symbol.dispose]();
  };
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
    await unpackLayer(tar, folder, { whiteouts: 'apply', owners: 'mine', devices: 'skip' });
    return { dockerfile: inFolder(folder, file, 'the context'), context: { folder, ignored: ignoredIn(folder, undefined) }, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function isTar(head: Buffer): boolean {
  if (head.length < 512 || isZero(head)) return false;
  try {
    readHeader(head, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first bytes of a stream, and what follows them. */
async function split(stream: AsyncIterable<Uint8Array>, count: number): Promise<{ head: Buffer; rest: AsyncIterable<Uint8Array> }> {
  const iterator = stream[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < count) {
    const { value, done } = await iterator.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  return { head: head.subarray(0, count), rest: chained(head.subarray(count), { [Symbol.asyncIterator]: () => iterator }) };
}

async function* chained(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}
