import { DelosError } from '../lib/errors.ts';
import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { unusable } from './failure.ts';
import { persistently, type Persistence } from './persistence.ts';
import { discard, readBody, type Answer, type Exchange, type Transport } from './transport.ts';

/** A token of the docker token specification, and when it stops being good (milliseconds of Date.now). */
export interface Token {
  readonly text: string;
  readonly until: number;
}

const mostBytes = 1 << 20;
/** What the specification says when the server does not: at least 60 seconds. */
const usualSeconds = 60;

/**
 * Asks the server that a registry named for a token.
 * @param registry who named it: one that uses TLS cannot name a server that does not
 * @param scopes what it is to be good for: `repository:library/alpine:pull`
 * @throws DelosError registry
 */
export async function fetchToken(
  transport: Transport, registry: URL, { parameters }: Challenge, scopes: readonly string[], credentials: Credentials | undefined,
  persistence: Persistence,
): Promise<Token> {
  const realm = realmOf(registry, parameters['realm']);
  const service = parameters['service'];
  const { signal } = persistence;
  const ask = async (exchange: Exchange): Promise<Token> => {
    const whole = { ...exchange, ...(signal !== undefined && { signal }) };
    return readToken(await persistently(whole, () => transport.send(whole), persistence));
  };
  if (credentials?.identityToken !== undefined) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token', refresh_token: credentials.identityToken, client_id: 'delos', scope: scopes.join(' '),
      ...(service !== undefined && { service }),
    });
    return ask({ method: 'POST', url: realm, headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: Buffer.from(form.toString()) });
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (credentials !== undefined) url.searchParams.set('account', credentials.username);
  return ask({ method: 'GET', url, headers: credentials === undefined ? {} : basicHeader(credentials) });
}

export function basicHeader({ username, password }: Credentials): Record<string, string> {
  return { Authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function realmOf(registry: URL, realm: string | undefined): URL {
  const asked: Pick<Exchange, 'method' | 'url'> = { method: 'GET', url: registry };
  if (realm === undefined || !URL.canParse(realm)) throw unusable(asked, 'the registry wants a token, but names no server that gives one');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw unusable(asked, 'the server for tokens has to have an http or https URL');
  if (url.protocol === 'http:' && registry.protocol === 'https:') throw unusable(asked, 'the server for tokens does not use TLS, the registry does');
  if (url.username !== '' || url.password !== '') throw unusable(asked, 'the URL of the server for tokens has a password in it');
  return url;
}

async function readToken(answer: Answer): Promise<Token> {
  if (answer.status !== 200) {
    await discard(answer);
    const reason = answer.status === 401 || answer.status === 403 ? 'the credentials were refused' : 'expected a token';
    throw unusable(answer, `${reason}: status ${answer.status}`);
  }
  const bytes = await readBody(answer, mostBytes).catch((cause: unknown) => {
    throw cause instanceof DelosError ? cause : unusable(answer, 'the answer with the token was cut');
  });
  const { text, seconds } = tokenIn(bytes.toString());
  // A token may hold only what a header may hold (RFC 6750, section 2.1).
  if (text === undefined || !/^[A-Za-z0-9._~+/=-]{1,65536}$/.test(text)) throw unusable(answer, 'expected a token, in the form of RFC 6750');
  return { text, until: Date.now() + seconds * 900 };
}

function tokenIn(json: string): { text: string | undefined; seconds: number } {
  try {
    const { token, access_token, expires_in } = JSON.parse(json) as Record<string, unknown>;
    const text = [token, access_token].find((item) => typeof item === 'string' && item !== '') as string | undefined;
    const seconds = typeof expires_in === 'number' && expires_in > 0 ? Math.min(expires_in, 86_400) : usualSeconds;
    return { text, seconds };
  } catch {
    return { text: undefined, seconds: 0 };
  }
}
