import fs from 'node:fs';
import path from 'node:path';
import { defaultPlaces, type Places } from '../containers/places.ts';
import { buildFolder } from '../sys/build-folder.ts';

/** Where the command keeps what is not said to be elsewhere. @param store the folder of images and networks */
export function placesOf(store: string | undefined): Places {
  const { data, run } = defaultPlaces();
  return { data: store === undefined ? data : path.resolve(store), run };
}

/** The command that serves the names of a network: it has to outlive this process. */
export function serverCommand({ data, run }: Places): string[] {
  const node = path.join(buildFolder(), 'node');
  return [fs.existsSync(node) ? node : process.execPath, path.join(buildFolder(), 'delos.cjs'), '--root', data, '--runroot', run];
}
