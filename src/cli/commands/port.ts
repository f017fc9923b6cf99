import { connectionsOf } from '../../containers/connection.ts';
import { DelosError } from '../../lib/errors.ts';
import type { PublishedPort } from '../../network/published-port.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';

/** `delos port`: `80/tcp -> 0.0.0.0:8080`, or the host's side of one port alone. */
export async function run({ globals, positional: [word = '', wanted] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const ports = connectionsOf(places, container.id).flatMap((lease) => lease.ports);
  if (wanted === undefined) {
    for (const port of ports) process.stdout.write(`${inside(port)} -> ${outside(port)}\n`);
    return 0;
  }
  const found = ports.filter((port) => inside(port) === (wanted.includes('/') ? wanted : `${wanted}/tcp`));
  if (found.length === 0) throw new DelosError('no-network', `no public port '${wanted}' published for ${container.name}`);
  for (const port of found) process.stdout.write(`${outside(port)}\n`);
  return 0;
}

function inside({ containerPort, protocol }: PublishedPort): string {
  return `${containerPort}/${protocol}`;
}

function outside({ hostAddress = '', hostPort }: PublishedPort): string {
  const address = hostAddress === '' ? '0.0.0.0' : hostAddress;
  return `${address.includes(':') ? `[${address}]` : address}:${hostPort}`;
}
