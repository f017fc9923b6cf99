import { locationOf, reasonOf } from './answer.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { unusable } from './failure.ts';
import type { Limits } from './limits.ts';
import { persistently } from './persistence.ts';
import { basicHeader, fetchToken, type Token } from './token.ts';
import { discard, type Answer, type Exchange, type Transport } from './transport.ts';

export interface SessionOptions {
  readonly transport: Transport;
  readonly limits: Limits;
  readonly credentials: Credentials | undefined;
  readonly signal?: AbortSignal;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** Requests to one registry: authorised, redirected and tried again as need be. */
export class Session {
  readonly origin: URL;
  readonly #options: SessionOptions;
  #challenge: Challenge | undefined;
  #tokens = new Map<string, Promise<Token>>();

  constructor(origin: URL, options: SessionOptions) {
    this.origin = origin;
    this.#options = options;
  }

  /** `GET /v2/`: whether a registry of this specification is there, and how it wants to be asked. @param attempts tries @throws DelosError registry */
  async ping(attempts?: number): Promise<void> {
    const answer = await this.#persist({ method: 'GET', url: new URL('/v2/', this.origin) }, [], attempts);
    await discard(answer);
    if (answer.status === 401) this.#challenge = this.#pick(answer);
    else if (answer.status !== 200) throw unusable(answer, `expected a registry (status 200 or 401), found status ${answer.status}`);
  }

  /** Asks as {@link ping} does, but with the credentials. @throws DelosError registry when they are not accepted */
  async authenticate(): Promise<void> {
    await this.ping();
    const answer = await this.send({ method: 'GET', url: new URL('/v2/', this.origin) }, []);
    await discard(answer);
    if (answer.status !== 200) throw unusable(answer, `expected status 200, found status ${answer.status}`);
  }

  /**
   * Sends until there is an answer that is final: any status but those of redirects and of passing trouble.
   * @param scopes what a token has to be good for
   * @throws DelosError registry; 401 and 403 are errors, other statuses are the caller's
   */
  async send(exchange: Exchange, scopes: readonly string[]): Promise<Answer> {
    const first = await this.#persist(exchange, scopes);
    if (first.status !== 401) return this.#unlessDenied(first);
    await discard(first);
    this.#challenge = this.#pick(first);
    this.#tokens.delete(scopes.join(' '));
    return this.#unlessDenied(await this.#persist(exchange, scopes));
  }

  async #unlessDenied(answer: Answer): Promise<Answer> {
    if (answer.status !== 401 && answer.status !== 403) return answer;
    const anonymous = this.#options.credentials === undefined ? ' (no credentials are stored for it: delos login)' : '';
    throw unusable(answer, `the registry denies it: ${await reasonOf(answer)}${anonymous}`);
  }

  #persist(exchange: Exchange, scopes: readonly string[], attempts = this.#options.limits.attempts): Promise<Answer> {
    return persistently(exchange, () => this.#follow(exchange, scopes), { ...this.#options, attempts });
  }

  /** Follows redirects of what only reads. To another host goes no credential, from TLS to none goes nothing. */
  async #follow(exchange: Exchange, scopes: readonly string[]): Promise<Answer> {
    const { transport, limits, signal } = this.#options;
    let url = exchange.url;
    for (let count = 0; ; count++) {
      const own = url.origin === this.origin.origin ? await this.#authorization(scopes) : {};
      const answer = await transport.send({ ...exchange, url, headers: { ...exchange.headers, ...own }, ...(signal !== undefined && { signal }) });
      if (!redirects.has(answer.status) || (exchange.method !== 'GET' && exchange.method !== 'HEAD')) return answer;
      await discard(answer);
      if (count >= limits.redirects) throw unusable(exchange, `more than ${limits.redirects} redirects`);
      url = locationOf(answer);
    }
  }

  async #authorization(scopes: readonly string[]): Promise<Record<string, string>> {
    const challenge = this.#challenge;
    const { credentials, transport, signal } = this.#options;
    if (challenge === undefined) return {};
    if (challenge.scheme === 'basic') return credentials === undefined ? {} : basicHeader(credentials);
    const key = scopes.join(' ');
    const known = await this.#tokens.get(key);
    if (known !== undefined && known.until > Date.now()) return bearer(known);
    const asked = fetchToken(transport, this.origin, challenge, scopes, credentials, { limits: this.#options.limits, ...(signal !== undefined && { signal }) });
    this.#tokens.set(key, asked);
    asked.catch(() => this.#tokens.delete(key));
    return bearer(await asked);
  }

  #pick(answer: Answer): Challenge {
    const offered = parseChallenges(answer.headers['www-authenticate']);
    const chosen = offered.find(({ scheme }) => scheme === 'bearer') ?? offered.find(({ scheme }) => scheme === 'basic');
    if (chosen === undefined) throw unusable(answer, 'the registry wants to be authorised in a way that is not known here (expected Bearer or Basic)');
    return chosen;
  }
}

function bearer({ text }: Token): Record<string, string> {
  return { Authorization: `Bearer ${text}` };
}
