import { joinNetwork } from '../../containers/connection.ts';
import { networksFolder } from '../../containers/places.ts';
import { checkNetworkRights, isBridged } from '../../everyday/network.ts';
import { DelosError } from '../../lib/errors.ts';
import { defaultNetwork } from '../../network/record.ts';
import { inspectNetwork } from '../../network/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { shortId } from '../../vocabulary/names.ts';
import { find, ownCommand, placesOf, type globalFlags } from './context.ts';
import type { networkConnectFlags } from './network-flags.ts';

/** `delos network connect`. */
export async function run({ flags, globals, positional: [network = '', word = ''] }: Invocation<typeof networkConnectFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const mode = container.flags['network'];
  if (typeof mode === 'string' && !isBridged(mode) && mode !== 'none') throw new DelosError('bad-usage', `container ${container.name} has the network of ${mode}: it is not connected to others`);
  if (network !== defaultNetwork) inspectNetwork(networksFolder(places), network);
  const wish = {
    network, hostname: shortId(container.id), aliases: flags.alias, ports: [], hosts: [], servers: [], search: [], options: [],
    ...(flags.ip !== undefined && { four: flags.ip }), ...(flags.ip6 !== undefined && { six: flags.ip6 }),
  };
  checkNetworkRights(wish, process.geteuid?.() ?? 0);
  await joinNetwork(places, container, wish, ownCommand(places));
  return 0;
}
