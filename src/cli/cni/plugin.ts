import path from 'node:path';
import { defaultPlaces, networksFolder } from '../../containers/places.ts';
import { DelosError } from '../../lib/errors.ts';
import { isObject, jsonFault, stringIn, type JsonObject } from '../../network/cni/json.ts';
import { collect, inspect, provide, withdraw, type ProviderRequest } from '../../network/cni/provider.ts';
import { cniVersions, isKnown } from '../../network/cni/version.ts';
import { SystemCallError } from '../../sys/syscall.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Ending {
  readonly code: 0 | 1;
  /** For standard output. */
  readonly output?: JsonObject;
}

/** CNI specification, section 5, "Error": what a plugin says of its refusal. */
class CniError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Codes of the specification; from 100 on they are ours. */
const [INCOMPATIBLE_VERSION, BAD_ENVIRONMENT, UNDECODABLE, BAD_CONFIGURATION, NOT_AVAILABLE, REFUSED] = [1, 4, 6, 7, 50, 100];

const maxInput = 1 << 20;

interface Command {
  /** Variables that have to be there. */
  readonly needs: readonly string[];
  run(request: ProviderRequest): Promise<JsonObject | undefined> | JsonObject | undefined;
}

const commands: Readonly<Record<string, Command>> = {
  ADD: { needs: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'], run: provide },
  DEL: { needs: ['CNI_CONTAINERID', 'CNI_IFNAME'], run: async (request) => withdraw(request).then(() => undefined) },
  CHECK: {
    needs: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
    run: (request) => {
      inspect(request);
      return undefined;
    },
  },
  STATUS: {
    needs: [],
    run: () => {
      if (process.geteuid?.() !== 0) throw new CniError(NOT_AVAILABLE, 'it takes root to connect to a bridge');
      return undefined;
    },
  },
  GC: { needs: [], run: async (request) => collect(request).then(() => undefined) },
};

/**
 * Delos's networks as a plugin for others: `{"type": "delos-cni", "network": "NAME", "root": "FOLDER"}`, the last two if they are not the
 * usual ones. CNI specification 1.1.
 * @param input reads standard input to its end
 */
export async function cniMain(env: Environment, input: () => Buffer): Promise<Ending> {
  let version: string = cniVersions.at(-1) ?? '';
  try {
    if (env['CNI_COMMAND'] === 'VERSION') return { code: 0, output: { cniVersion: versionAsked(input()) ?? version, supportedVersions: cniVersions } };
    const command = commandOf(env);
    const configuration = readConfiguration(input());
    const asked = stringIn(configuration, 'cniVersion') ?? '0.1.0';
    if (!isKnown(asked)) throw new CniError(INCOMPATIBLE_VERSION, `cniVersion: expected one of ${cniVersions.join(', ')}, found ${JSON.stringify(asked)}`);
    version = asked;
    const output = await command.run(requestOf(env, configuration, version));
    return { code: 0, ...(output !== undefined && { output }) };
  } catch (error) {
    return { code: 1, output: { cniVersion: version, ...told(error) } };
  }
}

function commandOf(env: Environment): Command {
  const name = env['CNI_COMMAND'] ?? '';
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) throw new CniError(BAD_ENVIRONMENT, `CNI_COMMAND: expected ${Object.keys(commands).join(', ')} or VERSION, found ${JSON.stringify(name)}`);
  const missing = command.needs.find((variable) => (env[variable] ?? '') === '');
  if (missing !== undefined) throw new CniError(BAD_ENVIRONMENT, `${missing}: ${name} needs it`);
  const id = env['CNI_CONTAINERID'] ?? '';
  if (id !== '' && !/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,199}$/.test(id)) throw new CniError(BAD_ENVIRONMENT, `CNI_CONTAINERID: no id of a container: ${JSON.stringify(id)}`);
  return command;
}

/** A runner of an old version tells the version that it speaks. */
function versionAsked(text: Buffer): string | undefined {
  try {
    const asked = stringIn(readConfiguration(text), 'cniVersion');
    return asked !== undefined && isKnown(asked) ? asked : undefined;
  } catch (error) {
    if (error instanceof CniError) return undefined;
    throw error;
  }
}

function readConfiguration(text: Buffer): JsonObject {
  if (text.length > maxInput) throw new CniError(UNDECODABLE, `standard input: more than ${maxInput} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.toString());
  } catch (error) {
    throw new CniError(UNDECODABLE, `standard input: no JSON: ${jsonFault(error)}`);
  }
  if (!isObject(parsed)) throw new CniError(UNDECODABLE, 'standard input: no object');
  for (const name of ['network', 'root']) {
    if (parsed[name] !== undefined && typeof parsed[name] !== 'string') throw new CniError(BAD_CONFIGURATION, `${name}: expected a string`);
  }
  return parsed;
}

function requestOf(env: Environment, configuration: JsonObject, cniVersion: string): ProviderRequest {
  const root = stringIn(configuration, 'root');
  if (root !== undefined && !path.isAbsolute(root)) throw new CniError(BAD_CONFIGURATION, `root: expected an absolute path, found ${JSON.stringify(root)}`);
  const places = defaultPlaces();
  return {
    folder: networksFolder(root === undefined ? places : { ...places, data: root }), container: env['CNI_CONTAINERID'] ?? '', namespace: env['CNI_NETNS'] ?? '',
    interface: env['CNI_IFNAME'] ?? '', cniVersion, configuration,
  };
}

/** In one line; our own bug keeps its stack. */
function told(error: unknown): JsonObject {
  if (error instanceof CniError) return { code: error.code, msg: error.message };
  if (error instanceof DelosError) return { code: error.code === 'bad-network' || error.code === 'no-network' ? BAD_CONFIGURATION : REFUSED, msg: error.message, details: error.code };
  if (error instanceof SystemCallError) return { code: REFUSED, msg: error.message };
  throw error;
}
