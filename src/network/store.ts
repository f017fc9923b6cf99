import fs from 'node:fs';
import path from 'node:path';
import { writeAtomically } from '../lib/atomic-file.ts';
import { DelosError } from '../lib/errors.ts';
import { builtIn, checkName, readRecord, type NetworkRecord } from './record.ts';

/** The folder of networks of root. Each network has a folder in it: `network.json`, and `leases` with a file for each address. */
export const defaultFolder = '/var/lib/delos/networks';

export function recordFile(folder: string, name: string): string {
  return path.join(folder, name, 'network.json');
}

export function leasesFolder(folder: string, name: string): string {
  return path.join(folder, name, 'leases');
}

/**
 * A network by its name.
 * @throws DelosError no-network, bad-network, io
 */
export function inspectNetwork(folder: string, name: string): NetworkRecord {
  return findNetwork(folder, name) ?? absent(name);
}

function absent(name: string): never {
  throw new DelosError('no-network', `there is no network ${name}`);
}

export function findNetwork(folder: string, name: string): NetworkRecord | undefined {
  const known = builtIn.find((record) => record.name === name);
  if (known !== undefined) return known;
  checkName(name);
  const text = readIfThere(recordFile(folder, name));
  if (text === undefined) return undefined;
  try {
    return readRecord(text);
  } catch (cause) {
    throw new DelosError('io', `${recordFile(folder, name)}: ${String(cause)}`, { cause });
  }
}

/** All networks by name. */
export function listNetworks(folder: string): NetworkRecord[] {
  const names = namesIn(folder).filter((name) => fs.existsSync(recordFile(folder, name)));
  return [...builtIn, ...names.map((name) => findNetwork(folder, name)).filter((record) => record !== undefined)].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The networks that have a bridge. */
export function bridgeNetworks(folder: string): NetworkRecord[] {
  return listNetworks(folder).filter(({ driver }) => driver === 'bridge');
}

/** Writes a new record. The caller holds the lock. */
export function writeRecord(folder: string, record: NetworkRecord): void {
  fs.mkdirSync(leasesFolder(folder, record.name), { recursive: true, mode: 0o700 });
  writeAtomically(recordFile(folder, record.name), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Takes a network's folder away, its record first: what is left without a record is no network. */
export function eraseRecord(folder: string, name: string): void {
  fs.rmSync(recordFile(folder, name), { force: true });
  fs.rmSync(path.join(folder, name), { recursive: true, force: true });
}

export function readIfThere(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw new DelosError('io', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** The names in a folder; none when there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new DelosError('io', `${folder} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
