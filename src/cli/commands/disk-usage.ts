import fs from 'node:fs';
import path from 'node:path';

/** Bytes of the files in a folder, as long as they are, and each once. What vanishes or may not be read counts for nothing. */
export function treeBytes(folder: string, counted = new Set<string>()): number {
  let sum = 0;
  for (const entry of entriesOf(folder)) {
    const file = path.join(folder, entry.name);
    const stat = fs.lstatSync(file, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) sum += treeBytes(file, counted);
    else if (stat.isFile() && !isCounted(stat, counted)) sum += stat.size;
  }
  return sum;
}

/** A file with several names. */
function isCounted({ nlink, dev, ino }: fs.Stats, counted: Set<string>): boolean {
  if (nlink < 2) return false;
  const key = `${dev}:${ino}`;
  if (counted.has(key)) return true;
  counted.add(key);
  return false;
}

function entriesOf(folder: string): fs.Dirent[] {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
