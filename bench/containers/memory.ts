import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Field } from './runs.ts';
import type { Runtime } from './runtimes.ts';
import { median } from './sample.ts';

/** What the machine has less of for each idle container, its own `sleep` included. */
export interface Held {
  readonly name: string;
  readonly kb: number;
  /** The least and the most of the rounds: far apart, something else was going on. */
  readonly from: number;
  readonly to: number;
}

interface Holder {
  readonly name: string;
  /** Gives what ends them again. */
  hold(count: number): Promise<() => Promise<void>>;
}

/** Memory of `count` idle containers of each runtime, in turns; the median of the rounds. */
export async function heldMemory(field: Field, bundle: string, rootfs: string, count: number, rounds: number): Promise<Held[]> {
  const holders = [sleeps(rootfs), ...[field.delos, ...field.peers].map((runtime) => containers(field, runtime, bundle))];
  const held = holders.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, holder] of holders.entries()) {
      const before = await freeKb();
      const release = await holder.hold(count);
      const after = await freeKb();
      await release();
      held[index]?.push((before - after) / count);
    }
  }
  return holders.map(({ name }, index) => {
    const rounds = held[index] ?? [];
    return { name, kb: median(rounds), from: Math.min(...rounds), to: Math.max(...rounds) };
  });
}

function containers({ timer }: Field, { name, argv }: Runtime, bundle: string): Holder {
  return {
    name,
    async hold(total) {
      await timer.run(argv('create', '--bundle', bundle, 'delos-bench-{}'), { total });
      await timer.run(argv('start', 'delos-bench-{}'), { total });
      return async () => {
        await timer.run(argv('delete', '--force', 'delos-bench-{}'), { total });
      };
    },
  };
}

function sleeps(rootfs: string): Holder {
  return {
    name: 'sleep, no container',
    async hold(total) {
      const children = Array.from({ length: total }, () => spawn(path.join(rootfs, 'bin/busybox'), ['sleep', '1000'], { stdio: 'ignore' }));
      const ends = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      return async () => {
        for (const child of children) child.kill('SIGKILL');
        await Promise.all(ends);
      };
    },
  };
}

/** MemFree once the caches are gone and what was freed has come back. proc_meminfo(5) */
async function freeKb(): Promise<number> {
  await sleep(200);
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
  await sleep(300);
  fs.writeFileSync('/proc/sys/vm/drop_caches', '3');
  return Number(/^MemFree: +(\d+) kB$/m.exec(fs.readFileSync('/proc/meminfo', 'utf8'))?.[1]);
}
