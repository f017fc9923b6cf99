/**
 * ./dev bench containers [--quick] [--json] [--readme]: Delos beside crun, runc and bwrap, on the same bundle, in turns.
 *
 * A bundle of busybox with a read-only root, `runc spec`'s configuration and a cgroup namespace; once with the default seccomp profile
 * and once without any. --quick takes fewer rounds; --readme writes the first table into README.md.
 */
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { hostFacts } from '../src/oci/probe.ts';
import { defaultProfile } from '../src/seccomp/default-profile.ts';
import { makeBundle, type TestConfig } from '../test/support/bundle.ts';
import { hostLine } from './containers/host.ts';
import { lifecycles, operations } from './containers/lifecycle.ts';
import { heldMemory } from './containers/memory.ts';
import { Planner } from './containers/planner.ts';
import { writeReadme } from './containers/readme.ts';
import { judge, markdownOf, runTargets, textOf, type Group, type Report } from './containers/report.ts';
import { manyRuns, singleRuns, type Field } from './containers/runs.ts';
import { delosOci, find, peers, sweep, versionOf } from './containers/runtimes.ts';
import { interleaved } from './containers/sample.ts';
import { copyBuild, enterStage, progress } from './containers/stage.ts';
import { Timer } from './containers/timer.ts';

/** How often each thing is measured. */
const full = { single: 60, warmUps: 15, life: 20, many: 3, memory: 5 };
const quick = { single: 15, warmUps: 10, life: 5, many: 1, memory: 1 };

type Rounds = typeof full;

const idleContainers = 50;

function bundleOf(args: readonly string[], withSeccomp: boolean): ReturnType<typeof makeBundle> {
  const { kernel } = hostFacts();
  return makeBundle((config: TestConfig) => {
    const { capabilities } = config.process;
    const seccomp = withSeccomp && { seccomp: defaultProfile(capabilities.bounding ?? [], kernel) };
    // The version that the oldest of the peers knows.
    return { ...config, ociVersion: '1.0.2', process: { ...config.process, args }, root: { ...config.root, readonly: true }, linux: { ...config.linux, ...seccomp } };
  });
}

async function groupsOf(field: Field, sleeping: string, rounds: Rounds): Promise<Group[]> {
  using guarded = bundleOf(['true'], true);
  using plain = bundleOf(['true'], false);
  const groups: Group[] = [];
  for (const [title, bundle] of [['run `true`, with seccomp', guarded], ['run `true`, without seccomp', plain]] as const) {
    progress(title);
    groups.push({ title, samples: await interleaved(singleRuns(field, bundle.path, bundle.rootfs), rounds.single, rounds.warmUps), targets: runTargets });
  }
  progress('many runs');
  groups.push({ title: '100 runs in sequence', samples: await interleaved(manyRuns(field, guarded.path, 100, 1), rounds.many) });
  groups.push({ title: '50 runs at once', samples: await interleaved(manyRuns(field, guarded.path, 50, 50), rounds.many) });
  progress('operations');
  const lives = await lifecycles(field, sleeping, rounds.life);
  return [...groups, ...operations.map((title) => ({ title, samples: lives[title] }))];
}

async function measure(rounds: Rounds): Promise<Report> {
  using sleeping = bundleOf(['sleep', '1000'], true);
  using build = copyBuild(sleeping.path);
  using timer = new Timer();
  using planner = await Planner.start(build.path);
  const { run } = (await import(path.join(build.path, 'index.js'))) as Pick<Field, 'run'>;
  const field: Field = { timer, planner, delos: delosOci(build.path), peers: peers(), run };
  using _ = clearedUp(field);
  const host = hostLine();
  const groups = await groupsOf(field, sleeping.path, rounds);
  progress('memory');
  const memory = await heldMemory(field, sleeping.path, sleeping.rootfs, idleContainers, rounds.memory);
  const programs = ['crun', 'runc', 'bwrap'].map((name) => (find(name) === undefined ? `${name} is not installed` : versionOf(name)));
  const notes = [`load average ${os.loadavg().map((load) => load.toFixed(2)).join(' ')} at the end; ${rounds.single} runs each, in turns`];
  return { host, programs, notes, groups, memory, plannerKb: planner.privateKb(), targets: judge(groups, memory) };
}

/** Nothing of the containers stays, however the bench ends: at a signal it goes the way of an error. */
function clearedUp({ timer, delos, peers }: Field): Disposable {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => timer[Symbol.dispose]());
  return { [Symbol.dispose]: () => [delos, ...peers].forEach(sweep) };
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, readme: { type: 'boolean' } } });
enterStage();
const report = await measure(values.quick ? quick : full);
console.log(values.json ? JSON.stringify(report, null, 2) : textOf(report));
if (values.readme) writeReadme('containers', markdownOf(report));
// The library's zygote would keep it waiting.
process.exit(0);
