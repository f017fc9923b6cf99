import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { lockNew } from '../images/file-lock.ts';
import type { ImageStore } from '../images/store.ts';
import { DelosError } from '../lib/errors.ts';
import { certificateFolders } from '../registry/trust.ts';
import { finish, type Digest } from '../registry/digest.ts';
import { asFailure, unusable } from '../registry/failure.ts';
import { defaultLimits } from '../registry/limits.ts';
import { shownUrl } from '../registry/shown.ts';
import { Transport, type Answer } from '../registry/transport.ts';

/** As many as curl follows: more is a circle. */
const MOST_REDIRECTS = 20;

/** What ADD has downloaded; gone when it is disposed of. */
export interface RemoteFile extends Disposable {
  /** Where it lies. */
  readonly file: string;
  /** What it is called by its URL, empty for nothing. */
  readonly name: string;
  readonly size: number;
  readonly digest: Digest;
  /** Last-Modified, in seconds. */
  readonly seconds: number;
}

/**
 * Downloads a file for ADD into the store's working folder, where it is swept if this process is killed.
 * @param expected `--checksum`
 * @throws DelosError registry for a server that refuses; bad-usage for another checksum; too-large, io; what `signal` was aborted with
 */
export async function downloadFile(store: ImageStore, text: string, expected: string | undefined, signal?: AbortSignal): Promise<RemoteFile> {
  const { file: lockPath, lock } = lockNew(path.join(store.root, 'unpacking', 'add'), '.lock');
  const file = lockPath.slice(0, -'.lock'.length);
  const remove = (): void => {
    fs.rmSync(file, { force: true });
    fs.rmSync(lockPath, { force: true });
    lock[Symbol.dispose]();
  };
  try {
    const { digest, size, seconds, url } = await download(new URL(text), file, signal);
    if (expected !== undefined && expected !== digest) throw new DelosError('bad-usage', `${shownUrl(url)}: expected ${expected}, found ${digest}`);
    return { file, name: nameOf(new URL(text)), size, digest, seconds, [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Left as it is where it is no UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The last part of a path, if it can be a name. */
function nameOf({ pathname }: URL): string {
  const last = pathname.slice(pathname.lastIndexOf('/') + 1);
  const name = decoded(last);
  return /^\.{0,2}$|[\0/]/.test(name) ? '' : name;
}

async function download(url: URL, file: string, signal: AbortSignal | undefined): Promise<{ digest: Digest; size: number; seconds: number; url: URL }> {
  for (let hops = 0, at = url; hops <= MOST_REDIRECTS; hops++) {
    using transport = transportFor(at);
    const asked = { method: 'GET', url: at };
    try {
      const answer = await transport.send({ ...asked, ...(signal !== undefined && { signal }) });
      const { location } = answer.headers;
      if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
        answer.body.destroy();
        const next = new URL(location, at);
        if (at.protocol === 'https:' && next.protocol !== 'https:') throw unusable(answer, 'it leads on without TLS');
        at = next;
        continue;
      }
      if (answer.status !== 200) throw unusable(answer, `expected status 200, found ${answer.status}`);
      return { ...(await save(answer, file)), seconds: Math.floor((Date.parse(answer.headers['last-modified'] ?? '') || 0) / 1000), url };
    } catch (error) {
      throw asFailure(asked, error);
    }
  }
  throw unusable({ method: 'GET', url }, `more than ${MOST_REDIRECTS} redirects`);
}

/** Certificates are verified; a URL that says http asks for none. */
function transportFor({ protocol }: URL): Transport {
  return new Transport({ limits: defaultLimits, environment: process.env, certificateFolders: certificateFolders(process.env), isInsecure: () => protocol === 'http:' });
}

async function save(answer: Answer, file: string): Promise<{ digest: Digest; size: number }> {
  const hash = createHash('sha256');
  const target = fs.createWriteStream(file, { mode: 0o600 });
  let size = 0;
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > defaultLimits.layerBytes) throw new DelosError('too-large', `${shownUrl(answer.url)}: more than ${defaultLimits.layerBytes} bytes`);
      hash.update(chunk);
      if (!target.write(chunk)) await once(target, 'drain');
    }
    if (!answer.body.complete) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    target.end();
    await once(target, 'finish');
    return { digest: finish(hash), size };
  } finally {
    target.destroy();
    answer.body.destroy();
  }
}
