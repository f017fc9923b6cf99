import type { Invocation } from '../../vocabulary/flags.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { confirmed } from './confirmation.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { imagePruneFlags } from './image-flags.ts';
import { pruneUnused } from './prune-images.ts';

/** `delos image prune`. */
export async function run({ flags: { all, filter, force }, globals }: Invocation<typeof imagePruneFlags, typeof globalFlags>): Promise<number> {
  if (!force && !(await confirmed([all ? 'all images that no container uses' : 'all images without a name']))) return 0;
  const { lines, bytes } = await pruneUnused(placesOf(globals), all, filter);
  process.stdout.write(`${prunedSection('Images', lines)}Total reclaimed space: ${decimalSize(bytes)}\n`);
  return 0;
}

/** What was removed of a kind; nothing for none. */
export function prunedSection(kind: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `Deleted ${kind}:\n${lines.map((line) => `${line}\n`).join('')}\n`;
}
