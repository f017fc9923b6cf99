/** The flags of `delos network`: docker's. */
export const networkCreateFlags = [
  { name: 'driver', short: 'd', type: 'string', default: 'bridge', help: 'What the network is made of: bridge' },
  { name: 'subnet', type: 'list', value: 'subnet', help: 'Subnet of the network (10.5.0.0/16, fd00:5::/64)' },
  { name: 'gateway', type: 'list', value: 'address', help: 'Gateway of each subnet; its first address unless given' },
  { name: 'ipv6', type: 'bool', help: 'Give it a subnet of IPv6 too' },
  { name: 'internal', type: 'bool', help: 'Let nothing in or out but to the host' },
  { name: 'isolated', type: 'bool', help: 'Keep its containers apart from each other' },
  { name: 'opt', short: 'o', type: 'list', value: 'map', help: 'com.docker.network.driver.mtu=BYTES, com.docker.network.bridge.name=DEVICE' },
  { name: 'label', type: 'list', value: 'map', help: 'Set metadata on the network (key=value)' },
] as const;

export const networkListFlags = [
  { name: 'quiet', short: 'q', type: 'bool', help: 'Print names only' },
  { name: 'format', type: 'string', help: 'Print with a template, or json' },
  { name: 'no-trunc', type: 'bool', help: 'Do not shorten anything' },
] as const;

export const networkInspectFlags = [
  { name: 'format', short: 'f', type: 'string', help: 'Print with a template, or json' },
] as const;

export const networkConnectFlags = [
  { name: 'ip', type: 'string', help: 'IPv4 address in the network' },
  { name: 'ip6', type: 'string', help: 'IPv6 address in the network' },
  { name: 'alias', type: 'list', help: 'Another name for other containers of the network' },
] as const;
