import fs from 'node:fs';
import { hardwareVirtualization, type HardwareVirtualization, type HostText } from '../../machine/hardware.ts';
import { alignColumns } from '../../vocabulary/table.ts';
import { hypervisors, hypervisorTypes, runCycle, rustMonitors } from '../../westworld/concepts.ts';

/** `delos explain machines`: hypervisors by their types, the cycle that all of them go through, and what this host has for it. */
export async function run(): Promise<number> {
  const named = hypervisorTypes.map(({ type, stands }) => [type, hypervisors.filter((each) => each.type === type).map(({ name }) => name).join(', '), stands]);
  process.stdout.write([
    alignColumns([['TYPE', 'HYPERVISORS', 'FROM BELOW'], ...named]),
    alignColumns([['FOR KVM, IN RUST', 'RUNS'], ...rustMonitors.map(({ name, runs }) => [name, runs])]),
    `A machine's life\n${runCycle.map((step, at) => `  ${at + 1}. ${step}\n`).join('')}`,
    `This host\n${hostLine(hardwareVirtualization(hostText()))}`,
  ].join('\n'));
  return 0;
}

function hostLine({ extension, secondLevel, nested, module, missing }: HardwareVirtualization): string {
  const found = extension === undefined ? 'no VT-x or AMD-V' : `${extension} with ${secondLevel ?? 'shadow page tables'}${nested ? ', guests may have guests' : ''}`;
  return `  ${found}${module === undefined ? '' : `, module ${module}`}${missing === undefined ? '' : `\n  ${missing}`}\n`;
}

function hostText(): HostText {
  const text = (path: string): string | undefined => {
    try {
      return fs.readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  };
  const modules = fs.existsSync('/sys/module') ? fs.readdirSync('/sys/module') : [];
  return { cpuinfo: text('/proc/cpuinfo') ?? '', modules, parameter: (module, name) => text(`/sys/module/${module}/parameters/${name}`) };
}
