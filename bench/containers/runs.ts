import type { run as libraryRun } from '../../src/index.ts';
import type { Planner } from './planner.ts';
import { find, type Runtime } from './runtimes.ts';
import type { Contestant } from './sample.ts';
import { stateFolder } from './stage.ts';
import type { Timer, Timing } from './timer.ts';

/** Who takes part, and what with. */
export interface Field {
  readonly timer: Timer;
  readonly planner: Planner;
  readonly delos: Runtime;
  readonly peers: readonly Runtime[];
  readonly run: typeof libraryRun;
}

export const names = { library: 'Delos from a running Node', warm: 'delos-oci run, planner', cold: 'delos-oci run, no planner' } as const;

/** One container from start to end, in every way there is. */
export function singleRuns(field: Field, bundle: string, rootfs: string): Contestant[] {
  const { timer, planner, delos, peers } = field;
  const bwrap = find('bwrap');
  const once = (runtime: Runtime): Promise<Timing> => timer.run(runArgv(runtime, bundle));
  return [
    { name: '/bin/true, no container', measure: () => timer.run(['/bin/true']) },
    { name: names.library, measure: () => libraryRuns(field, bundle, 1, 1) },
    { name: names.warm, measure: () => once(delos) },
    { name: names.cold, measure: () => planner.hidden(() => once(delos)) },
    ...(bwrap === undefined ? [] : [{ name: 'bwrap (no cgroup, no seccomp)', measure: () => timer.run(bwrapArgv(bwrap, rootfs)) }]),
    ...peers.map((peer) => ({ name: `${peer.name} run`, measure: () => once(peer) })),
  ];
}

/** Many containers, `parallel` of them at a time. */
export function manyRuns(field: Field, bundle: string, total: number, parallel: number): Contestant[] {
  const { timer, delos, peers } = field;
  const many = (runtime: Runtime): Promise<Timing> => timer.run(runArgv(runtime, bundle), { total, parallel });
  return [
    { name: names.library, measure: () => libraryRuns(field, bundle, total, parallel) },
    { name: names.warm, measure: () => many(delos) },
    ...peers.map((peer) => ({ name: `${peer.name} run`, measure: () => many(peer) })),
  ];
}

function runArgv({ argv }: Runtime, bundle: string): string[] {
  return argv('run', '--bundle', bundle, 'delos-bench-{}');
}

function bwrapArgv(bwrap: string, rootfs: string): string[] {
  return [bwrap, '--unshare-all', '--ro-bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', 'true'];
}

async function libraryRuns({ run }: Field, bundle: string, total: number, parallel: number): Promise<Timing> {
  const started = performance.now();
  let left = total;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const { exitCode } = await run({ image: bundle, root: `${stateFolder}/library`, stdout: 'ignore', stderr: 'ignore' });
      if (exitCode !== 0) throw new Error(`the library's container exited with ${exitCode}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return { ms: performance.now() - started, peakKb: 0 };
}
