import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { isObject, jsonFault, objectsIn, stringIn, stringsIn, type JsonObject } from './json.ts';
import { cniVersions, isKnown } from './version.ts';

/** A network as CNI has it: plugins that are run one after the other. CNI specification, section 1. */
export interface Conflist {
  readonly name: string;
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  /** Each with its `type`, and whatever it understands. */
  readonly plugins: readonly JsonObject[];
}

/** Larger files are no configuration. */
const maxBytes = 1 << 20;

const nameForm = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/**
 * Reads a configuration: a list of plugins, or one plugin alone.
 * @param whose for messages: the file
 * @throws DelosError bad-network
 */
export function parseConflist(text: string, whose: string): Conflist {
  const wrong = (what: string): DelosError => new DelosError('bad-network', `${whose}: ${what}`);
  const parsed = parse(text, wrong);
  const name = stringIn(parsed, 'name') ?? '';
  if (!nameForm.test(name)) throw wrong(`a network needs a name of letters, digits, '_', '.' and '-': ${JSON.stringify(parsed['name'])}`);
  const isList = 'plugins' in parsed;
  const plugins = isList ? objectsIn(parsed, 'plugins') : [parsed];
  if (plugins.length === 0) throw wrong('plugins: a network needs at least one plugin');
  for (const [index, plugin] of plugins.entries()) {
    // It is the name of a file in a folder.
    const type = stringIn(plugin, 'type') ?? '';
    if (!nameForm.test(type)) throw wrong(`${isList ? `plugins[${index}].` : ''}type: no name of a plugin: ${JSON.stringify(plugin['type'])}`);
  }
  return { name, cniVersion: chooseVersion(parsed, wrong), disableCheck: parsed['disableCheck'] === true || parsed['disableCheck'] === 'true', plugins };
}

function parse(text: string, wrong: (what: string) => DelosError): JsonObject {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw wrong(`no JSON: ${jsonFault(error)}`);
  }
  if (!isObject(parsed)) throw wrong('no object');
  return parsed;
}

/** The newest version that both sides have. `cniVersions`: specification 1.1. */
function chooseVersion(parsed: JsonObject, wrong: (what: string) => DelosError): string {
  const offered = [stringIn(parsed, 'cniVersion') ?? '0.1.0', ...stringsIn(parsed, 'cniVersions')];
  const chosen = cniVersions.findLast((version) => offered.includes(version));
  if (chosen === undefined || !isKnown(chosen)) throw wrong(`cniVersion: expected one of ${cniVersions.join(', ')}, found ${offered.map((version) => JSON.stringify(version)).join(', ')}`);
  return chosen;
}

/** Where configurations are: `NETCONFPATH`, as cnitool has it. */
export function configurationFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env['NETCONFPATH'] || '/etc/cni/net.d';
}

/**
 * The network of a name, out of the files of a folder in the order of their names. A file that is damaged matters to those alone who find no
 * network.
 * @throws DelosError no-network
 */
export function findConflist(folder: string, name: string): Conflist {
  const known: string[] = [];
  const faults: string[] = [];
  for (const file of filesOf(folder)) {
    try {
      const conflist = parseConflist(readBounded(file), file);
      if (conflist.name === name) return conflist;
      known.push(conflist.name);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      faults.push(error.message);
    }
  }
  const there = known.length === 0 ? 'there is none' : `there is ${known.join(', ')}`;
  throw new DelosError('no-network', `no network ${name} in ${folder}: ${[there, ...faults].join('; ')}`);
}

function filesOf(folder: string): string[] {
  try {
    return fs.readdirSync(folder).filter((name) => /\.(?:conflist|conf|json)$/.test(name)).sort().map((name) => path.join(folder, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new DelosError('io', `${folder}: cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}

function readBounded(file: string): string {
  try {
    const { size } = fs.statSync(file);
    if (size > maxBytes) throw new DelosError('bad-network', `${file}: ${size} bytes are too many for a configuration`);
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof DelosError) throw error;
    throw new DelosError('io', `${file}: cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
