/** From the start of a monitor's process to the first byte of its guest: a bzImage of two kilobytes. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { listen, type Command } from './spawned.ts';
import { smallKernel, smallKernelSays } from './small-kernel.ts';

export interface StartRow {
  readonly name: string;
  readonly milliseconds: readonly number[];
}

const root = path.join(import.meta.dirname, '../..');
const memory = '128';
const limitMs = 30_000;

/** Who can be measured on this machine. kvmtool is no package of Debian's: it takes part where somebody has built it. */
function monitors(kernel: string, hasKvm: boolean): (Command & { readonly name: string })[] {
  const delos = (engine: string): readonly string[] => [
    path.join(root, 'build/node'), path.join(root, 'build/delos.cjs'), 'vm', 'run', '--engine', engine, '--memory', `${memory}m`, '--kernel', kernel, '--no-reboot',
  ];
  const all = [
    { name: 'delos, KVM', argv: delos('kvm'), kvm: true },
    { name: 'delos, interpreter', argv: delos('interpreter'), kvm: false },
    {
      name: 'QEMU microvm, KVM', kvm: true,
      argv: ['qemu-system-x86_64', '-M', 'microvm', '-enable-kvm', '-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio', '-m', memory, '-kernel', kernel],
    },
    { name: 'kvmtool', argv: ['lkvm', 'run', '-k', kernel, '-m', memory, '-c', '1', '--console', 'serial'], kvm: true },
  ];
  return all.filter(({ argv: [program = ''], kvm }) => (hasKvm || !kvm) && isInstalled(program));
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @param rounds starts of each, in turns */
export async function measureStarts(folder: string, rounds: number, hasKvm: boolean): Promise<StartRow[]> {
  const kernel = path.join(folder, 'small.bzImage');
  fs.writeFileSync(kernel, smallKernel());
  const rows = monitors(kernel, hasKvm).map((monitor) => ({ ...monitor, milliseconds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { argv, milliseconds } of rows) {
      const started = performance.now();
      await listen({ argv }, (bytes) => bytes.includes(smallKernelSays), limitMs);
      milliseconds.push(performance.now() - started);
    }
  }
  return rows.map(({ name, milliseconds }) => ({ name, milliseconds }));
}
