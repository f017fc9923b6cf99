/**
 * ./dev bench vm [--exits|--snapshot|--start] [--quick] [--json] [--readme]: virtual machines beside the field's programs, in turns.
 *
 * Instructions a second, Linux to READY, memory, exits from KVM, snapshots, starts, hot loops with regions; --exits, --snapshot and --start those alone. --quick takes fewer rounds and leaves out what takes
 * minutes; --readme writes the tables into README.md.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { noKvm } from '../test/support/guest.ts';
import { hostLine } from './containers/host.ts';
import { writeReadme } from './containers/readme.ts';
import { measureExits } from './vm/exits.ts';
import { GuestImages } from './vm/guest.ts';
import { measureInstructions } from './vm/instructions.ts';
import { measureBoots } from './vm/linux.ts';
import { emulators, guestMemory, holders, type Absent, type Emulator } from './vm/machines.ts';
import { measureMemory } from './vm/memory.ts';
import { measureRegions } from './vm/regions.ts';
import { measureStarts } from './vm/start.ts';
import { measureRestores } from './vm/snapshot.ts';
import { markdownOf, textOf, type Report } from './vm/report.ts';

/** How often each thing is measured. */
const full = { starts: 3, rounds: 3, boots: 3, exits: 15, restores: 9, regions: 9, monitorStarts: 15 };
const quick = { starts: 1, rounds: 2, boots: 1, exits: 3, restores: 3, regions: 3, monitorStarts: 3 };

async function measure(only: 'exits' | 'snapshot' | 'start' | undefined, isQuick: boolean): Promise<Report> {
  const times = isQuick ? quick : full;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-vm-'));
  try {
    const images = new GuestImages(folder);
    const all = emulators();
    const present = all.filter((one): one is Emulator => 'command' in one);
    const absent: Absent[] = all.filter((one): one is Absent => 'why' in one);
    if (noKvm !== false) absent.push({ name: 'KVM', why: noKvm });
    const exits = noKvm === false && (only === undefined || only === 'exits') ? measureExits(times.exits) : [];
    const restores = only === 'exits' || only === 'start' ? [] : await measureRestores(folder, times.restores);
    const monitorStarts = only === undefined || only === 'start' ? await measureStarts(folder, times.monitorStarts, noKvm === false) : [];
    const host = hostLine();
    const programs = [...new Set(present.filter(({ version }) => version !== '').map(({ name, version }) => `${name.split(',')[0] ?? ''} ${version}`))];
    if (only !== undefined) return { host, programs: [], absent: [], notes: [], speeds: [], boots: [], memory: [], exits, restores, monitorStarts, regions: [] };
    const failures: string[] = [];
    const failed = ({ message }: Error): void => void failures.push(message);
    const memory = await measureMemory(images, holders(noKvm === false), guestMemory, failed);
    const speeds = await measureInstructions(images, present, times.starts, times.rounds, failed);
    const boots = await measureBoots(folder, images, times.boots, isQuick, failed);
    const regions = measureRegions(times.regions);
    const notes = [...failures, `load average ${os.loadavg().map((load) => load.toFixed(2)).join(' ')} at the end; v86 has no 64-bit mode: its Linux is a 32-bit one, which is not measured`];
    return { host, programs, absent, notes, speeds, boots, memory, exits, restores, monitorStarts, regions };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({ options: { exits: { type: 'boolean', default: false }, snapshot: { type: 'boolean', default: false }, start: { type: 'boolean', default: false }, quick: { type: 'boolean', default: false }, json: { type: 'boolean' }, readme: { type: 'boolean' } } });
const report = await measure(values.exits ? 'exits' : values.snapshot ? 'snapshot' : values.start ? 'start' : undefined, values.quick);
console.log(values.json ? JSON.stringify(report, null, 2) : textOf(report));
if (values.readme) writeReadme('vm', markdownOf(report));
