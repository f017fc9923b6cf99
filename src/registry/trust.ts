import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import type { Environment } from './proxy.ts';

/** What TLS with a registry needs beyond what Node brings. */
export interface Trust {
  /** Certificates of authorities, PEM, besides the usual ones. */
  readonly ca: readonly string[];
  /** The client's certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: string;
}

/** Folders with a folder for each registry, `HOST[:PORT]`, that holds `*.crt`, and pairs of `*.cert` and `*.key`; the first that has one counts. */
export function certificateFolders(environment: Environment): string[] {
  const home = environment['HOME'] || os.homedir();
  return [path.join(home, '.config/containers/certs.d'), '/etc/containers/certs.d', '/etc/docker/certs.d'];
}

/**
 * The certificates for one registry.
 * @param host with its port, as in the image's name
 * @throws DelosError io for a file that cannot be read
 */
export function trustFor(host: string, folders: readonly string[], environment: Environment): Trust {
  const ca = environmentAuthorities(environment);
  for (const folder of folders.map((parent) => path.join(parent, host))) {
    const names = namesIn(folder);
    if (names.length === 0) continue;
    const pick = (ending: string): string | undefined => names.filter((name) => name.endsWith(ending)).toSorted()[0];
    const cert = pick('.cert');
    const key = cert?.replace(/\.cert$/, '.key');
    if (cert !== undefined && !names.includes(key as string)) throw new DelosError('io', `${path.join(folder, cert)} has no key: expected ${key} beside it`);
    return {
      ca: [...ca, ...names.filter((name) => name.endsWith('.crt')).map((name) => read(path.join(folder, name)))],
      ...(cert !== undefined && { cert: read(path.join(folder, cert)), key: read(path.join(folder, key as string)) }),
    };
  }
  return { ca };
}

/**
 * Private authorities of the environment. Our launchers keep Node's own variable from Node, since it makes every start slower, and pass
 * it on under another name.
 */
function environmentAuthorities(environment: Environment): string[] {
  const files = [environment['DELOS_NODE_EXTRA_CA_CERTS'] || environment['NODE_EXTRA_CA_CERTS'], environment['SSL_CERT_FILE']];
  return files.flatMap((file) => (file ? [read(file)] : []));
}

/** What systems call the file of the authorities they trust: Debian and Alpine, Fedora, SUSE. */
const systemFiles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/ca-bundle.pem'];

/** The list for `ca` of tls.connect, which replaces Node's: Node's own, the system's, and these. Each once: reading them takes its time. */
export function authorities(trust: Trust): string[] {
  const system = systemFiles.find((file) => fs.existsSync(file));
  const pem = [...(system === undefined ? [] : [read(system)]), ...trust.ca].join('\n');
  const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return [...new Set([...tls.getCACertificates('bundled'), ...certificates].map((text) => text.trim()))];
}

function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return [];
    throw new DelosError('io', `${folder}: cannot be read: ${errno ?? 'an error'}`, { cause });
  }
}

function read(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read: ${errnoOf(cause) ?? 'an error'}`, { cause });
  }
}
