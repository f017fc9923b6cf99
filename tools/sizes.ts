import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { find, root } from './files.ts';

/** Above this many lines a file wants a reason (CONTRIBUTING.md). */
const longFile = 300;

/** Lines of every file that people write here: how they are spread, and those that are long. Tests and generated files are left out. */
export function sizeReport(): string[] {
  const paths = [...find('src/**/*.ts', 'native/*.{c,h}', 'tools/**/*.ts'), 'dev'].filter((path) => !path.endsWith('.test.ts'));
  const sizes = paths.map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n').length - 1 })).sort((a, b) => a.lines - b.lines);
  const at = (share: number): number => sizes[Math.min(sizes.length - 1, Math.floor(sizes.length * share))]?.lines ?? 0;
  const total = sizes.reduce((sum, { lines }) => sum + lines, 0);
  return [
    `${sizes.length} files, ${total} lines; median ${at(0.5)}, 90 % under ${at(0.9)}, longest ${at(1)}`,
    ...sizes.filter(({ lines }) => lines > longFile).map(({ path, lines }) => `${path}: ${lines} lines`),
  ];
}
