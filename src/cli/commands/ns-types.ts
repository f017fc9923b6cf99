import fs from 'node:fs';
import { alignColumns } from '../../vocabulary/table.ts';
import { kinds } from './kernel-namespaces.ts';

/** `delos ns types`: what there is, with the kernel's flags, and whether this kernel has it. */
export async function run(): Promise<number> {
  process.stdout.write('Linux Namespace Types:\n');
  for (const { proc, isolates } of kinds) process.stdout.write(`  ${proc.toUpperCase().padEnd(5)} - ${isolates}\n`);
  const rows = kinds.map(({ proc, flag }) => [
    flagName(proc), `0x${flag.toString(16).padStart(8, '0')}`, `/proc/PID/ns/${proc}`, fs.existsSync(`/proc/self/ns/${proc}`) ? 'yes' : 'no',
  ]);
  process.stdout.write(`\n${alignColumns([['FLAG', 'VALUE', 'FILE', 'SUPPORTED'], ...rows])}`);
  return 0;
}

function flagName(proc: string): string {
  return proc === 'mnt' ? 'CLONE_NEWNS' : `CLONE_NEW${proc.toUpperCase()}`;
}
