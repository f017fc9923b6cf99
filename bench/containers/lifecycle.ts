import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Field } from './runs.ts';
import type { Runtime } from './runtimes.ts';
import { sampleOf, type Sample } from './sample.ts';
import { stateFolder } from './stage.ts';
import type { Timing } from './timer.ts';

/** The commands that an engine gives a runtime, one after the other, in the life of a container. */
export const operations = ['create', 'start', 'state', 'kill', 'delete'] as const;

export type Operation = (typeof operations)[number];

interface Player {
  readonly name: string;
  readonly runtime: Runtime;
  readonly around: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Every operation of every runtime, in turns. @param bundle of a container that sleeps */
export async function lifecycles(field: Field, bundle: string, rounds: number): Promise<Record<Operation, Sample[]>> {
  const players = playersOf(field);
  const timings = new Map(players.map(({ name }) => [name, operations.map((): Timing[] => [])]));
  for (let round = -2; round < rounds; round++) {
    for (const { name, runtime, around } of players) {
      const lives = await around(() => life(field, runtime, bundle));
      if (round >= 0) lives.forEach((timing, index) => timings.get(name)?.[index]?.push(timing));
    }
  }
  const samples = operations.map((operation, index) => [operation, players.map(({ name }) => sampleOf(name, timings.get(name)?.[index] ?? []))]);
  return Object.fromEntries(samples) as Record<Operation, Sample[]>;
}

function playersOf({ delos, peers, planner }: Field): Player[] {
  const plainly = <T>(work: () => Promise<T>): Promise<T> => work();
  return [
    { name: 'delos-oci, planner', runtime: delos, around: plainly },
    { name: 'delos-oci, no planner', runtime: delos, around: (work) => planner.hidden(work) },
    ...peers.map((runtime) => ({ name: runtime.name, runtime, around: plainly })),
  ];
}

/** One container's life: what each operation took. */
async function life({ timer }: Field, { argv }: Runtime, bundle: string): Promise<Timing[]> {
  const id = 'delos-bench-life';
  const pidFile = `${stateFolder}/life.pid`;
  const timings = [
    await timer.run(argv('create', '--bundle', bundle, '--pid-file', pidFile, id)),
    await timer.run(argv('start', id)),
    await timer.run(argv('state', id)),
    await timer.run(argv('kill', id, 'KILL')),
  ];
  await ended(Number(fs.readFileSync(pidFile, 'utf8')));
  return [...timings, await timer.run(argv('delete', id))];
}

/** Comes back when there is no such process any more. */
async function ended(pid: number): Promise<void> {
  for (let tries = 0; fs.existsSync(`/proc/${pid}`); tries++) {
    if (tries > 2000) throw new Error(`process ${pid} does not end`);
    await sleep(1);
  }
}
