import { networksFolder } from '../../containers/places.ts';
import type { Count } from '../../netlink/nftables/read.ts';
import { trace, type Trace } from '../../network/trace.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import { find, placesOf, type globalFlags } from './context.ts';

/** `delos network trace`: the way of a container's packets, with what was counted on it. */
export async function run({ globals, positional: [word = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  process.stdout.write(trace(networksFolder(places), find(places, word).id).map(text).join('\n'));
  return 0;
}

function text({ lease, device, sent, received, ports, rules }: Trace): string {
  const { network, interface: inside, hostInterface, four, six } = lease;
  const counts = (direction: string, all: Readonly<Record<string, Count>>): string[][] => Object.entries(all).map(([address, count]) => [`  ${direction} ${address}`, ...cells(count)]);
  return [
    `network ${network}: ${inside} (${[four, six].filter((address) => address !== undefined).join(', ')}) - ${hostInterface} - ${device}\n`,
    alignColumns([
      ...counts('from', sent), ...counts('to', received),
      ...ports.map(({ text: port, present, count }) => [`  port ${port}`, ...(present ? cells(count) : ['its rule is missing'])]),
      ...rules.map(({ chain, comment, count }) => [`  ${chain}: ${comment}`, ...(count === undefined ? [''] : cells(count))]),
    ]),
  ].join('');
}

function cells({ packets, bytes }: Count): string[] {
  return [`${packets} packets`, `${bytes} bytes`];
}
