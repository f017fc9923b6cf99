import fs from 'node:fs';
import path from 'node:path';
import { root } from '../../tools/files.ts';

/** Puts a bench's tables between its two marks in README.md. */
export function writeReadme(bench: string, tables: string): void {
  const file = path.join(root, 'README.md');
  const text = fs.readFileSync(file, 'utf8');
  const place = new RegExp(`(<!-- bench:${bench}[^>]*-->\\n)[\\s\\S]*?(<!-- /bench:${bench} -->)`);
  if (!place.test(text)) throw new Error(`README.md has no place for the tables of ${bench}`);
  fs.writeFileSync(file, text.replace(place, (_, begin: string, end: string) => `${begin}\n${tables}\n\n${end}`));
}
