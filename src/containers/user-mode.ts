import os from 'node:os';
import { DelosError } from '../lib/errors.ts';
import { isUserMode, type UserModeProgram } from '../network/user-mode/program.ts';
import { startUserMode, userModes } from '../network/user-mode/start.ts';
import type { Container } from './container.ts';
import { fileOf, type Places } from './places.ts';
import { connectMonitor } from './watch.ts';

/** The program that a container has for a network. To root the same words are names of networks with a bridge. */
export function userModeOf({ networks: [first] }: Pick<Container, 'networks'>): UserModeProgram | undefined {
  return first !== undefined && process.geteuid?.() !== 0 && isUserMode(first.network) ? first.network : undefined;
}

/** Starts the program. It ends with the monitor. @param pid of the container's first process */
export async function joinUserMode(places: Places, { id, name, networks }: Container, program: UserModeProgram, pid: number): Promise<void> {
  const [wish] = networks;
  if (wish?.hosts.some(({ address }) => address === 'host-gateway') === true) hostAddress(program);
  const whileOpen = await connectMonitor(places, id);
  if (whileOpen === undefined) throw new DelosError('interrupted', `container ${name}: the process that watches it was killed while it was being connected`);
  try {
    await startUserMode({ container: id, program, folder: fileOf(places, id), pid, names: [name], ports: wish?.ports ?? [], whileOpen });
  } finally {
    whileOpen.destroy();
  }
}

/** Where the container finds the host: `host-gateway`. @throws DelosError unsupported */
export function hostAddress(program: UserModeProgram): string {
  const found = Object.values(os.networkInterfaces()).flat().find((address) => address?.internal === false && address.family === 'IPv4');
  if (found !== undefined && userModes[program].reachesHost) return found.address;
  throw new DelosError('unsupported', `--add-host: with --network ${program} the container cannot reach this host: there is no host-gateway`);
}
