import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { dockerConfigFile, keyOf, readJsonFile, runHelper, type Credentials } from './credentials.ts';
import type { Environment } from './proxy.ts';

/** Where credentials went, or came from: a file, or a helper by its name. One of the two. */
export interface CredentialPlace {
  readonly file?: string;
  readonly helper?: string;
}

/**
 * Keeps credentials as `docker login` does: by the credential helper that docker's config.json names for the registry, else in that
 * file, which only its owner can read. What else the file has stays.
 * @param domain as in an image's name
 * @throws DelosError io
 */
export async function storeCredentials(domain: string, credentials: Credentials, environment: Environment): Promise<CredentialPlace> {
  const file = dockerConfigFile(environment);
  const config = readJsonFile(file) ?? {};
  const key = keyOf(domain);
  const helper = helperFor(config, domain);
  const { username, password, identityToken } = credentials;
  if (helper !== undefined) {
    const secret = { ServerURL: key, Username: identityToken === undefined ? username : '<token>', Secret: identityToken ?? password };
    await runHelper(helper, 'store', JSON.stringify(secret), environment);
    return { helper };
  }
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  writeConfig(
    file, { ...config, auths: { ...objectIn(config, 'auths'), [key]: { auth, ...(identityToken !== undefined && { identitytoken: identityToken }) } } },
  );
  return { file };
}

/** Forgets credentials, as `docker logout` does. @returns where they were, or undefined when there were none @throws DelosError io */
export async function eraseCredentials(domain: string, environment: Environment): Promise<CredentialPlace | undefined> {
  const file = dockerConfigFile(environment);
  const config = readJsonFile(file) ?? {};
  const key = keyOf(domain);
  const helper = helperFor(config, domain);
  if (helper !== undefined) {
    await runHelper(helper, 'erase', key, environment);
    return { helper };
  }
  const auths = objectIn(config, 'auths');
  if (!Object.hasOwn(auths, key)) return undefined;
  writeConfig(file, { ...config, auths: Object.fromEntries(Object.entries(auths).filter(([name]) => name !== key)) });
  return { file };
}

function helperFor(config: Record<string, unknown>, domain: string): string | undefined {
  const helpers = objectIn(config, 'credHelpers');
  const found = Object.hasOwn(helpers, domain) ? helpers[domain] : config['credsStore'];
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function objectIn(config: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = config[name];
  return typeof value === 'object' && value !== null ? value as Record<string, unknown> : {};
}

function writeConfig(file: string, config: object): void {
  const fresh = `${file}.${process.pid}`;
  try {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    fs.writeFileSync(fresh, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600, flush: true });
    fs.renameSync(fresh, file);
  } catch (cause) {
    fs.rmSync(fresh, { force: true });
    throw new DelosError('io', `${file}: cannot be written: ${errnoOf(cause) ?? 'an error'}`, { cause });
  }
}
