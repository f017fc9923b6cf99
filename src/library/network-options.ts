import type { NetworkWish } from '../containers/network-wish.ts';
import type { RunOptions as EverydayOptions } from '../everyday/flags.ts';
import { checkNetworkRights, networkWish } from '../everyday/network.ts';
import { DelosError } from '../lib/errors.ts';
import { isUserMode } from '../network/user-mode/program.ts';

/** The network with a bridge that is asked for, if there is one. @throws DelosError bad-usage, unsupported */
export function wishOf(options: EverydayOptions): NetworkWish | undefined {
  const wish = networkWish(options, []);
  const uid = process.geteuid?.() ?? 0;
  checkNetworkRights(wish, uid);
  const { network } = options;
  if (network?.startsWith('cni:') === true || (uid !== 0 && wish !== undefined && isUserMode(wish.network))) {
    throw new DelosError('unsupported', `network ${network}: the library connects to networks with a bridge; the command 'delos' knows this one`);
  }
  return wish;
}
