import type { Invocation } from '../../vocabulary/flags.ts';
import type { explainFlags } from './flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import { explainTo } from './explaining.ts';

/** `delos explain run ...`: what `delos run --explain ...` prints. */
export async function run({ flags, globals, positional }: Invocation<typeof explainFlags, typeof globalFlags>): Promise<number> {
  return explainTo(placesOf(globals), { ...flags, explain: flags.json ? 'json' : flags.explain ?? 'text' }, positional);
}
