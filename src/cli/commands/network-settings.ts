import type { Lease } from '../../network/lease.ts';

/** Where a container is connected, in docker's shape: `NetworkSettings` of `inspect`. */
export function networkSettings(leases: readonly Lease[]): object {
  const [first] = leases;
  return {
    IPAddress: first?.four ?? '', GlobalIPv6Address: first?.six ?? '', MacAddress: first?.mac ?? '', Ports: portsOf(leases),
    Networks: Object.fromEntries(leases.map(({ network, four = '', six = '', mac, names, hostInterface, interface: inside }) => {
      return [network, { IPAddress: four, GlobalIPv6Address: six, MacAddress: mac, Aliases: names, Interface: inside, HostInterface: hostInterface }];
    })),
  };
}

function portsOf(leases: readonly Lease[]): Record<string, object[]> {
  const ports: Record<string, object[]> = {};
  for (const { containerPort, protocol, hostAddress = '', hostPort } of leases.flatMap((lease) => lease.ports)) {
    (ports[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostAddress === '' ? '0.0.0.0' : hostAddress, HostPort: String(hostPort) });
  }
  return ports;
}
