import fs from 'node:fs';
import { listContainers, readContainer } from '../../containers/catalogue.ts';
import { fileOf, networksFolder } from '../../containers/places.ts';
import { removeNetwork } from '../../network/create.ts';
import { standingOf } from '../../containers/standing.ts';
import { isCniContainer } from '../../network/cni/provider.ts';
import { defaultNetwork } from '../../network/record.ts';
import { bridgeNetworks } from '../../network/store.ts';
import { sweep } from '../../network/sweep.ts';
import { endUserMode } from '../../network/user-mode/record.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';

/** `delos network prune`: networks that no container wants, and what killed processes have left of any. Prints the names. */
export async function run({ globals }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const folder = networksFolder(places);
  for (const container of listContainers(places)) if (standingOf(places, container).pid === 0) await endUserMode(fileOf(places, container.id));
  if (process.geteuid?.() !== 0) return 0;
  const swept = await sweep(folder, (id) => isCniContainer(id) || readContainer(places, id) !== undefined || fs.existsSync(fileOf(places, id)));
  for (const device of swept.devices) warn(`removed the device ${device}, which a killed process had left`);
  const wanted = new Set(listContainers(places).flatMap(({ networks }) => networks.map(({ network }) => network)));
  for (const { name } of bridgeNetworks(folder).filter((record) => record.name !== defaultNetwork && !wanted.has(record.name))) {
    await removeNetwork(folder, name);
    process.stdout.write(`${name}\n`);
  }
  return 0;
}
