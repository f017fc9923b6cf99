import { DelosError } from '../lib/errors.ts';
import { findCredentials, type Credentials } from './credentials.ts';
import { endpointsOf, type Endpoint } from './endpoints.ts';
import { defaultLimits, type Limits } from './limits.ts';
import type { Environment } from './proxy.ts';
import { targetOf, type Reference } from './reference.ts';
import { readRegistryRules, type RegistryRule } from './registries-conf.ts';
import { Repository, type Fetched } from './repository.ts';
import { Session } from './session.ts';
import { Transport } from './transport.ts';
import { certificateFolders } from './trust.ts';

export interface RegistryOptions {
  readonly limits?: Partial<Limits>;
  /** Proxies, private authorities and the places of configuration are taken from it; this process's by default. */
  readonly environment?: Environment;
  /** In place of what registries.conf says. */
  readonly rules?: readonly RegistryRule[];
  /** In place of what is stored; null for none. */
  readonly credentials?: Credentials | null;
  readonly signal?: AbortSignal;
}

/** An open connection to a repository. Disposing of it closes the connections. */
export interface Connection extends Disposable {
  readonly repository: Repository;
}

/**
 * Finds an image: in the mirrors that are configured for its registry, then in the registry.
 * @throws DelosError no-image, registry, bad-image: of the last place that was asked
 */
export async function findImage(reference: Reference, options: RegistryOptions = {}): Promise<Connection & { readonly found: Fetched }> {
  const endpoints = endpointsOf(reference, rulesOf(options), 'pull');
  for (const [index, endpoint] of endpoints.entries()) {
    let connection: Connection | undefined;
    try {
      connection = await connect(endpoint, options);
      return { ...connection, found: await connection.repository.manifest(targetOf(reference)) };
    } catch (error) {
      connection?.[Symbol.dispose]();
      if (index === endpoints.length - 1 || !(error instanceof DelosError)) throw error;
    }
  }
  throw new Error('assertion: a reference without a registry');
}

/** The repository to push to, or to list. @throws DelosError registry */
export function openRepository(reference: Reference, options: RegistryOptions = {}): Promise<Connection> {
  const [endpoint] = endpointsOf(reference, rulesOf(options), 'push');
  if (endpoint === undefined) throw new Error('assertion: a reference without a registry');
  return connect(endpoint, options);
}

/** Checks credentials against a registry, as `login` does. @param domain as in an image's name @throws DelosError registry */
export async function checkCredentials(domain: string, credentials: Credentials, options: RegistryOptions = {}): Promise<void> {
  const reference = { domain, path: 'library', tag: 'latest' };
  const [endpoint] = endpointsOf(reference, rulesOf(options), 'push');
  using connection = await connect(endpoint as Endpoint, { ...options, credentials });
  await connection.repository.session.authenticate();
}

function rulesOf({ rules, environment = process.env }: RegistryOptions): readonly RegistryRule[] {
  return rules ?? readRegistryRules(environment);
}

async function connect(endpoint: Endpoint, options: RegistryOptions): Promise<Connection> {
  const { environment = process.env, signal } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const transport = new Transport({
    limits, environment, certificateFolders: certificateFolders(environment), isInsecure: (host) => endpoint.insecure && host === endpoint.host,
  });
  try {
    const stored = options.credentials === undefined ? await findCredentials(`${endpoint.domain}/${endpoint.path}`, environment) : options.credentials;
    const credentials = stored ?? undefined;
    const session = await reach(
      endpoint, transport, (origin) => new Session(origin, { transport, limits, credentials, ...(signal !== undefined && { signal }) }),
    );
    return { repository: new Repository(session, endpoint.path, limits, signal), [Symbol.dispose]: () => transport[Symbol.dispose]() };
  } catch (error) {
    transport[Symbol.dispose]();
    throw error;
  }
}

/** By TLS; a registry that may be insecure also without, when it does not understand that. */
async function reach(endpoint: Endpoint, transport: Transport, open: (origin: URL) => Session): Promise<Session> {
  const origin = new URL(`https://${endpoint.host}`);
  const session = open(origin);
  const plain = transport.mayBeInsecure(origin) ? open(new URL(`http://${endpoint.host}`)) : undefined;
  try {
    await session.ping(plain === undefined ? undefined : 1);
    return session;
  } catch (error) {
    if (plain === undefined || !(error instanceof DelosError)) throw error;
    await plain.ping();
    return plain;
  }
}
