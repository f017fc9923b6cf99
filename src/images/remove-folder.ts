import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';

/** Removes a folder with all that is in it, also what is in folders that their owner may not write to, as layers have them. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await fs.promises.rm(folder, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== 'EACCES' && errnoOf(error) !== 'EPERM') throw error;
    makeWritable(folder);
    await fs.promises.rm(folder, { recursive: true, force: true });
  }
}

function makeWritable(folder: string): void {
  fs.chmodSync(folder, 0o700);
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) makeWritable(path.join(folder, entry.name));
}
