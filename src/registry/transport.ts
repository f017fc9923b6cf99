import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import { unusable, type Asked } from './failure.ts';
import type { Limits } from './limits.ts';
import { isLoopback, proxyFor, proxyHeaders, tunnelAgent, type Environment } from './proxy.ts';
import { authorities, trustFor } from './trust.ts';

/** One request. Where `body` is a function it gives the bytes anew for each try. */
export interface Exchange extends Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | { readonly length: number; open(): Readable };
  readonly signal?: AbortSignal;
}

/** The answer's head; its body has to be read or discarded. */
export interface Answer extends Asked {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: http.IncomingMessage;
}

export interface TransportOptions {
  readonly limits: Limits;
  readonly environment: Environment;
  readonly certificateFolders: readonly string[];
  /** Whether a host, with its port, may be spoken to without TLS or with a certificate that cannot be verified. Loopback addresses always may. */
  readonly isInsecure: (host: string) => boolean;
}

/** HTTP with registries: connections that are kept, certificates, proxies, time limits. It follows no redirect and tries nothing twice. */
export class Transport implements Disposable {
  readonly #options: TransportOptions;
  readonly #agents = new Map<string, http.Agent>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  mayBeInsecure(url: URL): boolean {
    return isLoopback(url.hostname) || this.#options.isInsecure(url.host);
  }

  /** @throws DelosError registry for what will not pass; the error of Node for what may ({@link isPassing}) */
  async send(exchange: Exchange): Promise<Answer> {
    const { method, url, body } = exchange;
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unusable(exchange, 'expected an http or https URL');
    if (url.protocol === 'http:' && !this.mayBeInsecure(url)) throw unusable(exchange, 'plain http is refused: the registry is not configured as insecure');
    const request = this.#request(exchange);
    const answered = once(request, 'response', exchange.signal === undefined ? {} : { signal: exchange.signal }) as Promise<[http.IncomingMessage]>;
    // What goes wrong while the body is sent is known from the answer, which may come before all is sent.
    const sent = body === undefined || body instanceof Uint8Array ? void request.end(body) : pipeline(body.open(), request);
    const [response] = await Promise.race([answered, failureOf(sent, answered)]);
    response.on('error', () => undefined);
    return { method, url, status: response.statusCode ?? 0, headers: response.headers, body: response };
  }

  #request({ method, url, headers, body, signal }: Exchange): http.ClientRequest {
    const { limits, environment } = this.#options;
    const proxy = proxyFor(url, environment);
    const plain = url.protocol === 'http:';
    const length = body === undefined ? (method === 'GET' || method === 'HEAD' ? undefined : 0) : body.length;
    const options: https.RequestOptions = {
      method, agent: this.#agent(url, proxy), host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port || (plain ? 80 : 443), path: url.pathname + url.search,
      headers: {
        Host: url.host, 'User-Agent': 'delos', 'Accept-Encoding': 'identity', ...headers, ...(length !== undefined && { 'Content-Length': String(length) }),
        ...(plain && proxy !== undefined && proxyHeaders(proxy)),
      },
      timeout: limits.stallMs, ...(signal !== undefined && { signal }),
    };
    const toProxy = plain && proxy !== undefined ? { host: proxy.hostname, port: proxy.port || 80, path: url.href } : {};
    const request = (plain ? http : https).request({ ...options, ...toProxy });
    request.once('timeout', () => {
      request.destroy(Object.assign(new Error(`no byte for ${Math.round(limits.stallMs / 1000)} s`), { code: 'ETIMEDOUT' }));
    });
    return request;
  }

  #agent(url: URL, proxy: URL | undefined): http.Agent {
    const key = `${url.origin} ${proxy?.href ?? ''}`;
    const known = this.#agents.get(key);
    if (known !== undefined) return known;
    const agent = this.#makeAgent(url, proxy);
    this.#agents.set(key, agent);
    return agent;
  }

  #makeAgent(url: URL, proxy: URL | undefined): http.Agent {
    const keep = { keepAlive: true, maxSockets: 16, timeout: this.#options.limits.stallMs };
    if (url.protocol === 'http:') return new http.Agent(keep);
    const trust = trustFor(url.host, this.#options.certificateFolders, this.#options.environment);
    const { cert, key } = trust;
    const verified = !this.mayBeInsecure(url);
    const options = {
      ...keep, minVersion: 'TLSv1.2' as const, rejectUnauthorized: verified, ...(verified && { ca: authorities(trust) }),
      ...(cert !== undefined && key !== undefined && { cert, key }),
    };
    return proxy === undefined ? new https.Agent(options) : tunnelAgent(proxy, options);
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.destroy();
    this.#agents.clear();
  }
}

/** Never resolves: rejects when the body could not be sent and no answer says why. */
async function failureOf(sent: Promise<void> | void, answered: Promise<unknown>): Promise<never> {
  try {
    await sent;
  } catch (error) {
    // The answer of a server that closes early is still on its way.
    await answered.catch(() => {
      throw error;
    });
  }
  return new Promise<never>(() => undefined);
}

/** Reads a body of at most so many bytes. @throws DelosError registry for more; the error of Node for a cut connection */
export async function readBody(answer: Answer, most: number): Promise<Buffer> {
  const tooLong = (): unknown => {
    answer.body.destroy();
    return unusable(answer, `the answer is longer than ${most} bytes`);
  };
  if (Number(answer.headers['content-length'] ?? 0) > most) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw tooLong();
    chunks.push(chunk);
  }
  if (!answer.body.complete) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  return Buffer.concat(chunks);
}

/** Reads what is left of a short body, so that the connection can be used again; closes that of a long one. */
export async function discard(answer: Answer): Promise<void> {
  await readBody(answer, 64 << 10).catch(() => answer.body.destroy());
}
