import { networksFolder, type Places } from '../../containers/places.ts';
import { readContainer } from '../../containers/catalogue.ts';
import { leasesOf, type Lease } from '../../network/lease.ts';
import type { NetworkRecord } from '../../network/record.ts';
import { inspectNetwork } from '../../network/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { inspection } from '../../vocabulary/table.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { networkInspectFlags } from './network-flags.ts';

/** `delos network inspect`. */
export async function run({ flags, globals, positional }: Invocation<typeof networkInspectFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  process.stdout.write(inspection(positional.map((name) => describe(places, inspectNetwork(networksFolder(places), name))), flags.format));
  return 0;
}

/** A network in docker's shape. */
function describe(places: Places, record: NetworkRecord): unknown {
  const { name, driver, device, four, six, mtu, internal, isolated, labels, created } = record;
  const leases = driver === 'bridge' ? leasesOf(networksFolder(places), name) : [];
  return {
    Name: name, Created: created, Scope: 'local', Driver: driver, EnableIPv6: six !== undefined, Internal: internal === true, Isolated: isolated === true,
    IPAM: { Driver: 'default', Config: [four, six].flatMap((range) => (range === undefined ? [] : [{ Subnet: range.subnet, Gateway: range.gateway }])) },
    Options: { ...(device !== '' && { 'com.docker.network.bridge.name': device }), ...(mtu !== undefined && { 'com.docker.network.driver.mtu': String(mtu) }) },
    Labels: labels,
    Containers: Object.fromEntries(leases.map((lease) => [lease.container, member(places, lease)])),
  };
}

function member(places: Places, { container, names: [first = ''], mac, four = '', six = '', hostInterface }: Lease): object {
  return { Name: readContainer(places, container)?.name ?? first, MacAddress: mac, IPv4Address: four, IPv6Address: six, HostInterface: hostInterface };
}
