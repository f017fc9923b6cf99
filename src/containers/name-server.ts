import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isServed } from '../network/names/serve.ts';
import { defaultNetwork } from '../network/record.ts';
import { networksFolder, type Places } from './places.ts';

/** Containers of the default network do not know each other by name: so docker has it. */
export function hasNames(network: string): boolean {
  return network !== defaultNetwork;
}

/**
 * Starts the name server of a network unless there is one, and waits until it answers. It ends by itself after the network's last container.
 * @param command this program and its global flags
 */
export async function ensureNameServer(places: Places, network: string, command: readonly string[]): Promise<void> {
  if (isServed(networksFolder(places), network)) return;
  const [program = '', ...words] = command;
  const child = spawn(program, [...words, 'network', 'serve', network], { cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  // One that ends at once has found another one.
  await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  child.stdout.destroy();
  child.unref();
}
