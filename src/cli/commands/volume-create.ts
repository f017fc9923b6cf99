import { makeVolume } from '../../containers/volumes.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseLabels } from '../../vocabulary/key-value.ts';
import { randomId } from '../../vocabulary/names.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { volumeCreateFlags } from './volume-flags.ts';

/** `delos volume create`. Prints the name; a volume without one gets 64 hexadecimal digits. */
export async function run({ flags: { driver, label, opt: [option] }, globals, positional: [name] }: Invocation<typeof volumeCreateFlags, typeof globalFlags>): Promise<number> {
  if (driver !== 'local') throw badFlag('driver', driver, 'expected local');
  if (option !== undefined) throw badFlag('opt', option, 'expected none: a volume is a folder of this machine');
  const volume = makeVolume(placesOf(globals), { name: name ?? randomId(), labels: parseLabels('label', label), anonymous: name === undefined });
  process.stdout.write(`${volume.name}\n`);
  return 0;
}
