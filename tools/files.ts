import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The clone's own folder, absolute. */
export const root = join(import.meta.dirname, '..');

/** The files under {@link root} that match a glob, as paths relative to it, sorted. */
export function find(...patterns: string[]): string[] {
  return globSync(patterns, { cwd: root }).sort();
}

/** The product's own TypeScript: everything under src but the tests. */
export function sources(): string[] {
  return find('src/**/*.ts').filter((path) => !path.endsWith('.test.ts'));
}

/** When a file of the clone was last written, in ms since 1970; 0 when there is none. */
export function writtenAt(path: string): number {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
