import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import { depthOf, namespacesOfProcess } from './kernel-namespaces.ts';

/** `delos ns show PID|CONTAINER`: its namespaces, which of them are its own, and how deep it is nested. */
export async function run({ globals, positional: [word = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const pid = /^\d+$/.test(word) ? Number(word) : pidOf(globals, word);
  const shown = lookAt(pid);
  const ours = new Map(namespacesOfProcess(process.pid));
  process.stdout.write(`Namespaces for PID ${pid}:\n`);
  for (const [name, link] of shown) {
    process.stdout.write(`  ${name.padEnd(18)} -> ${link.padEnd(20)} ${ours.get(name) === link ? 'shared with this process' : 'its own'}\n`);
  }
  process.stdout.write(`Nesting depth: ${depthOf(pid)}\n`);
  return 0;
}

function pidOf(globals: Parameters<typeof placesOf>[0], word: string): number {
  const places = placesOf(globals);
  const container = find(places, word);
  const { pid } = standingOf(places, container);
  if (pid === 0) throw new DelosError('wrong-state', `container ${container.name} is not running`);
  return pid;
}

function lookAt(pid: number): [string, string][] {
  try {
    return namespacesOfProcess(pid);
  } catch (cause) {
    throw new DelosError('not-found', `there is no process ${pid}, or you may not look at it`, { cause });
  }
}
