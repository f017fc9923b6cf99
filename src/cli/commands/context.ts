import path from 'node:path';
import { listContainers, readContainer } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import { defaultPlaces, type Places } from '../../containers/places.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Values } from '../../vocabulary/flags.ts';
import { resolveContainer } from '../../vocabulary/names.ts';

/** The flags before every command. */
export const globalFlags = [
  { name: 'root', type: 'string', value: 'folder', help: 'Where containers are kept' },
  { name: 'storage-driver', type: 'string', value: 'driver', help: 'How root file systems are made of layers: overlay or vfs, a plain copy' },
  { name: 'runroot', type: 'string', value: 'folder', help: 'Where the state of running containers is kept' },
] as const;

export type Globals = Values<typeof globalFlags>;

export function placesOf({ root, runroot, 'storage-driver': driver }: Globals): Places {
  // The flag is the environment's other spelling; so programs that are started by this one have it too.
  if (driver !== undefined) process.env['STORAGE_DRIVER'] = driver;
  const { data, run } = defaultPlaces();
  return { data: root === undefined ? data : path.resolve(root), run: runroot === undefined ? run : path.resolve(runroot) };
}

/** The global flags again, for a Delos that is started later: the monitor's, or a test's. */
export function globalWords({ data, run }: Places): string[] {
  return ['--root', data, '--runroot', run];
}

/** The command that starts this very program again. */
export function ownCommand(places: Places, ...words: readonly string[]): string[] {
  return [process.execPath, process.argv[1] ?? '', ...globalWords(places), ...words];
}

/** The container a word of the command line means. @throws DelosError not-found, bad-id */
export function find(places: Places, word: string): Container {
  const exact = /^[0-9a-f]{64}$/.test(word) ? readContainer(places, word) : undefined;
  return exact ?? resolveContainer(word, listContainers(places));
}

/** One line for a person; on stderr, as stdout is data. */
export function warn(message: string): void {
  process.stderr.write(`delos: ${message}\n`);
}

/** Does something to each container in turn and prints its name as it was given. One that fails does not keep the others from it. */
export async function forEach(places: Places, words: readonly string[], act: (container: Container) => Promise<string | void>): Promise<number> {
  let code = 0;
  for (const word of words) {
    try {
      const line = await act(find(places, word));
      process.stdout.write(`${line ?? word}\n`);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  return code;
}
