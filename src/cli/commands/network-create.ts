import { makeNetwork } from '../../containers/networks.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseLabels } from '../../vocabulary/key-value.ts';
import { parseInteger } from '../../vocabulary/units.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { networkCreateFlags } from './network-flags.ts';

const MTU = 'com.docker.network.driver.mtu';
const DEVICE = 'com.docker.network.bridge.name';

/** `delos network create`. Prints the name. */
export async function run({ flags, globals, positional: [name = ''] }: Invocation<typeof networkCreateFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const { driver, subnet, gateway, ipv6, internal, isolated } = flags;
  if (driver !== 'bridge') throw badFlag('driver', driver, 'expected bridge');
  const { [MTU]: mtu, [DEVICE]: device, ...others } = parseLabels('opt', flags.opt);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw badFlag('opt', unknown, `expected ${MTU} or ${DEVICE}`);
  await makeNetwork(places, {
    name, subnets: subnet, gateways: gateway, ipv6, internal, isolated, labels: parseLabels('label', flags.label),
    ...(mtu !== undefined && { mtu: parseInteger(mtu) }), ...(device !== undefined && { device }),
  });
  process.stdout.write(`${name}\n`);
  return 0;
}
