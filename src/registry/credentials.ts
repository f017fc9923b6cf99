import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import type { Environment } from './proxy.ts';
import { defaultDomain } from './reference.ts';
import { shown } from './shown.ts';

/** What shows a registry who asks. With `identityToken` a refresh token of OAuth2 in place of the password. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
}

/** The name that docker stores the credentials of its own registry under. */
const hubKey = 'https://index.docker.io/v1/';

/**
 * The files that may hold credentials, the first that has some for a registry counts: `REGISTRY_AUTH_FILE`, containers' auth.json in
 * the runtime folder and in the home folder, docker's config.json (containers-auth.json(5)).
 */
export function credentialFiles(environment: Environment): string[] {
  const given = environment['REGISTRY_AUTH_FILE'];
  const home = environment['HOME'] || os.homedir();
  const runtime = environment['XDG_RUNTIME_DIR'] || `/run/containers/${process.geteuid?.() ?? 0}`;
  const config = environment['XDG_CONFIG_HOME'] || path.join(home, '.config');
  return [
    ...(given ? [given] : []), path.join(runtime, 'containers/auth.json'), `/run/containers/${process.geteuid?.() ?? 0}/auth.json`,
    path.join(config, 'containers/auth.json'), dockerConfigFile(environment),
  ];
}

/** docker's config.json, which `login` writes too. */
export function dockerConfigFile(environment: Environment): string {
  return path.join(environment['DOCKER_CONFIG'] || path.join(environment['HOME'] || os.homedir(), '.docker'), 'config.json');
}

interface StoredEntry {
  /** `user:password`, in base64. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
}

/** One of the files, as far as it is about credentials. */
interface Stored {
  readonly auths?: Readonly<Record<string, StoredEntry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

/**
 * The credentials for a repository, or nothing.
 * @param repository `host/path`: auth.json may have credentials for a part of a registry; the longest name counts
 * @throws DelosError io for a file that cannot be read
 */
export async function findCredentials(repository: string, environment: Environment): Promise<Credentials | undefined> {
  const host = repository.split('/')[0] as string;
  for (const file of credentialFiles(environment)) {
    const stored = readStored(file);
    if (stored === undefined) continue;
    const helper = own(stored.credHelpers, host) ?? stored.credsStore;
    const found = (helper === undefined || helper === '' ? undefined : await askHelper(helper, keyOf(host), environment)) ?? inFile(stored, repository);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The name of a registry in docker's config.json and in credential helpers. */
export function keyOf(host: string): string {
  return host === defaultDomain || /^(index|registry-1)\.docker\.io$/.test(host) ? hubKey : host;
}

function inFile(stored: Stored, repository: string): Credentials | undefined {
  const parts = repository.split('/');
  const names = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
  const wanted = [...names, keyOf(parts[0] as string)];
  // Older versions of docker wrote URLs.
  const auths = Object.entries(stored.auths ?? {});
  for (const name of wanted) {
    const found = auths.find(([key]) => key === name) ?? auths.find(([key]) => key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '') === name);
    const credentials = found && fromEntry(found[1]);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

function fromEntry(entry: StoredEntry): Credentials | undefined {
  const pair = entry.auth ? Buffer.from(entry.auth, 'base64').toString() : undefined;
  const colon = pair?.indexOf(':') ?? -1;
  const username = pair !== undefined && colon >= 0 ? pair.slice(0, colon) : entry.username ?? '';
  const password = pair !== undefined && colon >= 0 ? pair.slice(colon + 1).replace(/\0+$/, '') : entry.password ?? '';
  if (entry.identitytoken) return { username, password: '', identityToken: entry.identitytoken };
  return username === '' && password === '' ? undefined : { username, password };
}

/** Runs `docker-credential-NAME get` (docker-credential-helpers). One that has nothing, or cannot be run, gives nothing, as with docker. */
async function askHelper(name: string, key: string, environment: Environment): Promise<Credentials | undefined> {
  const output = await runHelper(name, 'get', key, environment).catch(() => undefined);
  if (output === undefined) return undefined;
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof Username !== 'string' || typeof Secret !== 'string') return undefined;
    return Username === '<token>' ? { username: '', password: '', identityToken: Secret } : { username: Username, password: Secret };
  } catch {
    return undefined;
  }
}

/**
 * Runs a credential helper.
 * @param verb get, store or erase
 * @throws DelosError io when it cannot be run or fails; what it printed is not told, it may be secret
 */
export function runHelper(name: string, verb: string, input: string, environment: Environment): Promise<string> {
  if (!/^[A-Za-z0-9._-]+$/.test(name)) return Promise.reject(new DelosError('io', `'${shown(name)}' is no name of a credential helper`));
  return new Promise((resolve, reject) => {
    const child = execFile(`docker-credential-${name}`, [verb], { env: { ...environment }, timeout: 30_000, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(new DelosError(
        'io', `the credential helper docker-credential-${name} ${verb} failed: ${errnoOf(error) ?? `status ${error.code ?? 'unknown'}`}`,
      ));
    });
    // A helper that ends without reading is no failure of ours.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function readStored(file: string): Stored | undefined {
  const json = readJsonFile(file);
  if (json === undefined) return undefined;
  const stored = json as Stored;
  for (const part of [stored.auths, stored.credHelpers]) if (part !== undefined && (typeof part !== 'object' || part === null)) throw unreadable(file);
  return stored;
}

/** The object a JSON file holds; nothing when there is no file. @throws DelosError io */
export function readJsonFile(file: string): Record<string, unknown> | undefined {
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return undefined;
    throw new DelosError('io', `${file}: cannot be read: ${errno ?? 'an error'}`, { cause });
  }
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // The parser's own message would quote the file, which holds passwords.
  }
  throw unreadable(file);
}

function unreadable(file: string): DelosError {
  return new DelosError('io', `${file}: expected a JSON object with the registries' credentials`);
}

function own<V>(record: Readonly<Record<string, V>> | undefined, name: string): V | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
