import { parseJson } from './json.ts';
import { mismatch } from './refuse.ts';
import { config } from './schema/config.ts';
import { process } from './schema/process.ts';
import { resources } from './schema/resources.ts';
import type { Path, Shape } from './shape.ts';
import type { Config, Process, Resources } from './types.ts';

/**
 * Reads a config.json: every property this project knows has the type and range the specification gives it, those it does not know
 * stay and are ignored, null stands for absent. What needs two properties to be judged is left to `checkConfig`.
 * @throws DelosError bad-config, one line that names the place, what was expected and what was found.
 */
export function parseConfig(document: string | Uint8Array): Config {
  return read(document, 'config.json', config, []);
}

/** Reads the process of `exec --process`: what config.json has under `process`. */
export function parseProcess(document: string | Uint8Array): Process {
  return read(document, 'process.json', process, ['process']);
}

/** Reads the limits of `update --resources`: what config.json has under `linux.resources`. */
export function parseResources(document: string | Uint8Array): Resources {
  return read(document, 'resources', resources, ['linux', 'resources']);
}

/** `place` is where config.json has such a document, and where messages say a fault is. */
function read<T>(document: string | Uint8Array, what: string, shape: Shape<T>, place: Path): T {
  const value = parseJson(document, what);
  const fault = shape(value);
  if (fault !== undefined) throw mismatch([...place, ...fault.path], fault.expected, fault.found);
  return value as T;
}
