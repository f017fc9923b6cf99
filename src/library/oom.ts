import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import type { CgroupPaths } from '../cgroup/path.ts';
import { parseKeyed } from '../cgroup/stats-text.ts';
import { addressOf, buffer, Cell } from '../plan/block.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { call, Label, type Item } from '../plan/step.ts';

/** More than the files ever hold. */
const SIZE = 512;

/** Reads how many processes were killed for want of memory at the last moment there is to do so: just before the cgroup goes. */
export class OomCount {
  readonly #text = new Cell('oom count', buffer(SIZE, 'oom count'), 0, 8, true);
  /** For PlanOptions.ended. */
  readonly steps: readonly Item[];

  constructor(cgroup: CgroupPaths) {
    const file = oomFile(cgroup);
    this.steps = file === undefined ? [] : readSteps(file, this.#text);
  }

  /** What a plan that has run has found. */
  killed(plan: EncodedPlan, report: Uint8Array): boolean {
    if (this.steps.length === 0) return false;
    const at = plan.offset(this.#text);
    const text = Buffer.from(report.subarray(at, at + SIZE)).toString('latin1');
    return (parseKeyed(text.slice(0, text.indexOf('\0')), 'oom count').get('oom_kill') ?? 0n) > 0n;
  }
}

/** Both have a line `oom_kill N`: cgroups(7), and "memory.events" of the kernel's cgroup-v2. */
function oomFile(cgroup: CgroupPaths): string | undefined {
  const { memory, '': unified } = cgroup;
  return memory === undefined ? unified && `${unified}/memory.events` : `${memory}/memory.oom_control`;
}

function readSteps(file: string, text: Cell): Item[] {
  const why = 'whether memory ran out';
  const fd = new Cell('oom file', buffer(8, '&oom file'), 0);
  const done = new Label('memory is known');
  return [
    call('openat', [AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0], why, { out: fd, accept: { any: done } }),
    call('read', [fd, addressOf(text), SIZE], why, { accept: { any: 'next' } }),
    call('close', [fd], why),
    done,
  ];
}
