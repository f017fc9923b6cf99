import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { lockContainer } from '../runtime/lock.ts';
import { containersFolder, fileOf, type Places } from './places.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Removes the folder of a container whose maker or remover was killed: it has no container.json, and nobody holds its lock.
 * @returns whether there is no such container now
 * @throws DelosError io
 */
export async function removeIfAbandoned(places: Places, id: string): Promise<boolean> {
  const isRecorded = (): boolean => fs.existsSync(fileOf(places, id, 'container.json'));
  if (isRecorded()) return false;
  try {
    using _ = await lockContainer(containersFolder(places), id, 0);
    if (isRecorded()) return false;
    await removeTree(fileOf(places, id));
    return true;
  } catch (error) {
    if (error instanceof DelosError && error.code === 'not-found') return true;
    if (error instanceof DelosError && error.code === 'wrong-state') return false;
    throw error;
  }
}
