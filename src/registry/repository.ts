import { createHash } from 'node:crypto';
import { DelosError } from '../lib/errors.ts';
import { giveBack } from '../lib/give-back.ts';
import { reasonOf } from './answer.ts';
import { digestOf, finish, isDigest, type Digest } from './digest.ts';
import { asFailure, isPassing, unusable } from './failure.ts';
import { Foreign } from './foreign.ts';
import type { Limits } from './limits.ts';
import { parseManifest, type Descriptor, type Index, type IndexEntry, type Manifest } from './manifest.ts';
import { indexTypes, manifestTypes } from './media-types.ts';
import { pause, pauseBefore } from './retry.ts';
import type { Session } from './session.ts';
import { shown, shownUrl } from './shown.ts';
import { discard, readBody, type Answer } from './transport.ts';

/** A manifest or index with the bytes that its digest is of. */
export interface Fetched {
  readonly digest: Digest;
  readonly bytes: Buffer;
  readonly content: Manifest | Index;
}

const accepted = [...manifestTypes, ...indexTypes].join(', ');

/** One repository of one registry, by the OCI distribution specification 1.1: what can be read of it. All methods throw DelosError registry. */
export class Repository {
  readonly session: Session;
  readonly path: string;
  readonly limits: Limits;
  readonly #signal: AbortSignal | undefined;

  /** @param path as the registry knows it: `library/alpine` */
  constructor(session: Session, path: string, limits: Limits, signal?: AbortSignal) {
    this.session = session;
    this.path = path;
    this.limits = limits;
    this.#signal = signal;
  }

  urlOf(rest: string): URL {
    return new URL(`/v2/${this.path}/${rest}`, this.session.origin);
  }

  readonly pullScope = (): string[] => [`repository:${this.path}:pull`];

  /**
   * A manifest or index by tag or digest.
   * @throws DelosError no-image when there is none, bad-image when it is none
   */
  async manifest(target: string): Promise<Fetched> {
    const answer = await this.session.send({ method: 'GET', url: this.urlOf(`manifests/${target}`), headers: { Accept: accepted } }, this.pullScope());
    await this.#expect(answer, `there is no ${shown(target)}`);
    const bytes = await this.#body(answer, this.limits.manifestBytes);
    const digest = digestOf(bytes);
    if (isDigest(target) && digest !== target) throw unusable(answer, `expected content of ${target}, found ${digest}`);
    checkTold(answer, digest);
    const mediaType = answer.headers['content-type']?.split(';')[0]?.trim();
    return { digest, bytes, content: parseManifest(bytes, mediaType, `${shownUrl(answer.url)} (${digest})`) };
  }

  /** The digest a tag stands for, if the registry tells it without sending the manifest. */
  async digestOfTag(tag: string): Promise<Digest | undefined> {
    const answer = await this.session.send({ method: 'HEAD', url: this.urlOf(`manifests/${tag}`), headers: { Accept: accepted } }, this.pullScope());
    await discard(answer);
    const told = answer.headers['docker-content-digest'];
    return answer.status === 200 && isDigest(told) ? told : undefined;
  }

  async hasBlob({ digest, size }: Descriptor, scopes = this.pullScope()): Promise<boolean> {
    const answer = await this.session.send({ method: 'HEAD', url: this.urlOf(`blobs/${digest}`) }, scopes);
    await discard(answer);
    return answer.status === 200 && [undefined, String(size)].includes(answer.headers['content-length']);
  }

  /** A small blob, such as a configuration, whole. */
  async smallBlob(blob: Descriptor, most: number): Promise<Buffer> {
    if (blob.size > most) throw unusable({ method: 'GET', url: this.blobUrl(blob) }, `${blob.size} bytes are more than the ${most} allowed`);
    const chunks: Buffer[] = [];
    for await (const chunk of this.blob(blob)) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  /** The bytes of a blob. After the last chunk size and digest are known to be right; until then they are not. */
  async *blob(blob: Descriptor): AsyncGenerator<Buffer, void, undefined> {
    const hash = createHash('sha256');
    for await (const chunk of this.stream(blob)) {
      hash.update(chunk);
      yield chunk;
    }
    const digest = finish(hash);
    if (digest !== blob.digest) throw unusable({ method: 'GET', url: this.blobUrl(blob) }, `the content is not what its name says: found ${digest}`);
  }

  /**
   * The bytes of a blob from `start` on, as many as there should be, for one who checks the digest. A download that breaks off is
   * resumed there.
   * @param fleeting a chunk is good only until the next one is asked for
   */
  async *stream(blob: Descriptor, start = 0, fleeting = false): AsyncGenerator<Buffer, void, undefined> {
    const asked = { method: 'GET', url: this.blobUrl(blob) };
    let at = start;
    for (let attempt = 1; at < blob.size;) {
      const before = at;
      try {
        for await (const chunk of this.#bytesFrom(blob, at)) {
          at += chunk.length;
          if (at > blob.size) throw unusable(asked, `the body is longer than the ${blob.size} bytes it should have`);
          yield chunk;
          if (fleeting) giveBack(chunk);
        }
        if (at < blob.size) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      } catch (error) {
        attempt = at > before ? 1 : attempt + 1;
        if (!isPassing(error) || attempt > this.limits.attempts || this.#signal?.aborted === true) throw asFailure(asked, shortened(error, at, blob.size));
        await pause(pauseBefore(attempt, this.limits), this.#signal);
      }
    }
  }

  blobUrl({ digest }: Descriptor): URL {
    return this.urlOf(`blobs/${digest}`);
  }

  async *#bytesFrom(blob: Descriptor, at: number): AsyncGenerator<Buffer, void, undefined> {
    const headers = at === 0 ? {} : { Range: `bytes=${at}-` };
    const answer = await this.session.send({ method: 'GET', url: this.blobUrl(blob), headers }, this.pullScope());
    if (answer.status !== 206) await this.#expect(answer, 'there is no such blob');
    // A registry without ranges begins at the beginning.
    let passOver = at - startOf(answer, at);
    const told = answer.headers['content-length'];
    if (told !== undefined && Number(told) !== blob.size - at + passOver) {
      answer.body.destroy();
      throw unusable(answer, `expected ${blob.size - at + passOver} bytes, the registry announces ${shown(told)}`);
    }
    try {
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        if (passOver < chunk.length) yield passOver === 0 ? chunk : chunk.subarray(passOver);
        passOver = Math.max(0, passOver - chunk.length);
      }
    } finally {
      answer.body.destroy();
    }
  }

  /** All tags, page by page, in the registry's order. */
  async tags(): Promise<string[]> {
    const found: string[] = [];
    let url: URL | undefined = this.urlOf('tags/list');
    for (let page = 0; url !== undefined; page++) {
      const answer: Answer = await this.session.send({ method: 'GET', url }, this.pullScope());
      await this.#expect(answer, 'there is no such repository');
      const json = Foreign.parse(await this.#body(answer, this.limits.manifestBytes), shownUrl(answer.url));
      found.push(...json.get('tags').list(this.limits.listed).map((tag) => tag.string()));
      if (found.length > this.limits.listed || page > this.limits.listed) throw unusable(answer, `more than ${this.limits.listed} tags`);
      url = nextPage(answer, this.session.origin);
    }
    return found;
  }

  /**
   * What refers to a manifest: signatures, lists of contents. A registry without that API is asked for the tag that stands in for it
   * (distribution specification, "Unavailable Referrers API").
   */
  async referrers(digest: Digest): Promise<readonly IndexEntry[]> {
    const url = this.urlOf(`referrers/${digest}`);
    const answer = await this.session.send({ method: 'GET', url, headers: { Accept: indexTypes[0] as string } }, this.pullScope());
    if (answer.status === 200) {
      const content = parseManifest(await this.#body(answer, this.limits.manifestBytes), undefined, shownUrl(url));
      return content.kind === 'index' ? content.manifests : [];
    }
    await discard(answer);
    try {
      const { content } = await this.manifest(digest.replace(':', '-'));
      return content.kind === 'index' ? content.manifests : [];
    } catch (error) {
      if (error instanceof DelosError && error.code === 'no-image') return [];
      throw error;
    }
  }

  async #expect(answer: Answer, absent: string): Promise<void> {
    if (answer.status === 200) return;
    const reason = await reasonOf(answer);
    if (answer.status === 404) throw new DelosError('no-image', `${shownUrl(answer.url)}: ${absent} (${reason})`);
    throw unusable(answer, `expected status 200, found ${answer.status}: ${reason}`);
  }

  async #body(answer: Answer, most: number): Promise<Buffer> {
    try {
      return await readBody(answer, most);
    } catch (error) {
      throw asFailure(answer, error);
    }
  }
}

function shortened(error: unknown, at: number, size: number): unknown {
  if (error instanceof DelosError || !isPassing(error)) return error;
  return Object.assign(new Error(`the download breaks off after ${at} of ${size} bytes, also when it is tried again`), { cause: error });
}

/** Where the body begins. @throws DelosError registry for a part that was not asked for */
function startOf(answer: Answer, asked: number): number {
  if (answer.status !== 206) return 0;
  const start = /^bytes (\d{1,16})-/.exec(answer.headers['content-range'] ?? '')?.[1];
  if (start !== undefined && Number(start) === asked) return asked;
  answer.body.destroy();
  throw unusable(answer, `expected the bytes from ${asked} on, found the range ${shown(answer.headers['content-range'] ?? 'of nothing')}`);
}

/** A registry whose header contradicts its body is not to be trusted with either. */
function checkTold(answer: Answer, digest: Digest): void {
  const told = answer.headers['docker-content-digest'];
  if (isDigest(told) && told !== digest) throw unusable(answer, `the registry calls it ${told}, but its digest is ${digest}`);
}

/** The address of the next page (RFC 8288, rel="next"), which has to be on the same registry. */
function nextPage(answer: Answer, origin: URL): URL | undefined {
  const link = [answer.headers['link'] ?? []].flat().join(', ');
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link)?.[1];
  if (target === undefined || !URL.canParse(target, answer.url.href)) return undefined;
  const url = new URL(target, answer.url);
  if (url.origin !== origin.origin) throw unusable(answer, 'the next page of the listing is on another host');
  return url;
}
