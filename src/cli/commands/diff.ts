import type { Change } from '../../layers/changes.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import type { diffFlags } from './image-flags.ts';
import { writtenChanges } from './written-layer.ts';

/** `delos diff`. */
export async function run({ flags: { format }, globals, positional: [word = ''] }: Invocation<typeof diffFlags, typeof globalFlags>): Promise<number> {
  if (format !== undefined && format !== 'json') throw badFlag('format', format, 'expected json');
  const places = placesOf(globals);
  const changes = writtenChanges(places, find(places, word));
  process.stdout.write(format === 'json' ? jsonOf(changes) : changes.map(({ kind, path }) => `${kind} ${path}\n`).join(''));
  return 0;
}

/** podman's form. */
function jsonOf(changes: readonly Change[]): string {
  const pathsOf = (wanted: Change['kind']): string[] => changes.filter(({ kind }) => kind === wanted).map(({ path }) => path);
  const all = Object.entries({ changed: pathsOf('C'), added: pathsOf('A'), deleted: pathsOf('D') });
  return `${JSON.stringify(Object.fromEntries(all.filter(([, paths]) => paths.length > 0)))}\n`;
}
