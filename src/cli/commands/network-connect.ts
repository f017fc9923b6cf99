import { joinNetwork } from '../../containers/connection.ts';
import { networksFolder } from '../../containers/places.ts';
import { furtherNetwork } from '../../everyday/network.ts';
import { defaultNetwork } from '../../network/record.ts';
import { inspectNetwork } from '../../network/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, ownCommand, placesOf, type globalFlags } from './context.ts';
import type { networkConnectFlags } from './network-flags.ts';

/** `delos network connect`. */
export async function run({ flags, globals, positional: [network = '', word = ''] }: Invocation<typeof networkConnectFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const wish = furtherNetwork(container, network, { aliases: flags.alias, ...(flags.ip !== undefined && { ip: flags.ip }), ...(flags.ip6 !== undefined && { ip6: flags.ip6 }) });
  if (network !== defaultNetwork) inspectNetwork(networksFolder(places), network);
  await joinNetwork(places, container, wish, ownCommand(places));
  return 0;
}
