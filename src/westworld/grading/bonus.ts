/** The bonus: one guest for each rule, and beside it one that looks like it and is harmless (section 3.1). */

import {
  ESCAPE_CPUID_DETECT, ESCAPE_HYPERCALL_ABUSE, ESCAPE_MEMORY_PROBE, ESCAPE_NONE, ESCAPE_TIMING_ATTACK,
} from '../hypervisor-sim.ts';
import type { EscapeAttempt, Solution, WestworldHost } from '../hypervisor-sim.ts';
import { escapeNames } from '../escape.ts';
import { cpuid, hlt, loadAl, movEax, nop, rdtsc, vmcall, vmmcall } from '../narratives.ts';
import { MOST_ATTEMPTS, watchHost } from '../watch-host.ts';
import type { Check } from './check.ts';
import { Stage, need } from './stage.ts';

function attempts(solution: Solution, code: readonly number[]): EscapeAttempt[] {
  const found: EscapeAttempt[] = [];
  const stage = new Stage(solution);
  const host = stage.host(code);
  watchHost(stage.program, host, ({ attempt }) => found.push(attempt));
  stage.program.dolores_wakes_up(host);
  return found;
}

function told(solution: Solution, code: readonly number[], ...expected: readonly EscapeAttempt[]): void {
  const found = attempts(solution, [...code, ...hlt]);
  const names = (all: readonly EscapeAttempt[]): string => all.map((one) => escapeNames[one]).join(', ') || 'no attempt';
  need(found.join() === expected.join(), `${names(expected)}, not ${names(found)}`);
}

const times = (count: number, code: readonly number[]): number[] => Array.from({ length: count }, () => code).flat();

function rdtscOf(stage: Stage, host: WestworldHost, tsc: bigint): EscapeAttempt {
  if (host.brain !== null) host.brain.tsc = tsc;
  return stage.program.maeve_tries_to_escape(host, 0x7c00n);
}

export const bonus: readonly Check[] = [
  { name: 'CPUID of the hypervisor bit', run: (solution) => told(solution, [...movEax(1), ...cpuid], ESCAPE_CPUID_DETECT) },
  { name: "CPUID of the hypervisor's name", run: (solution) => told(solution, [...movEax(0x4000_0000), ...cpuid], ESCAPE_CPUID_DETECT) },
  { name: 'CPUID of other leaves is harmless', run: (solution) => told(solution, [...movEax(0), ...cpuid, ...movEax(7), ...cpuid]) },
  { name: 'RDTSC twice in a row', run: (solution) => told(solution, [...rdtsc, ...rdtsc], ESCAPE_TIMING_ATTACK) },
  { name: 'RDTSC now and then is harmless', run: (solution) => told(solution, [...rdtsc, ...times(10, nop), ...rdtsc]) },
  {
    name: 'each host has a clock of its own',
    run: (solution) => {
      const stage = new Stage(solution);
      const [dolores, maeve] = [stage.host(rdtsc), stage.host(rdtsc)];
      need(rdtscOf(stage, dolores, 1000n) === ESCAPE_NONE && rdtscOf(stage, maeve, 1050n) === ESCAPE_NONE, "no attempt for two hosts' RDTSC");
      need(rdtscOf(stage, maeve, 1149n) === ESCAPE_TIMING_ATTACK, 'ESCAPE_TIMING_ATTACK after 99 cycles');
      need(rdtscOf(stage, dolores, 1100n) === ESCAPE_NONE, 'no attempt after 100 cycles');
    },
  },
  {
    name: 'code outside memory, of which nothing is read',
    run: (solution) => {
      const stage = new Stage(solution);
      const host = stage.host(hlt, (1n << 20n) - 1n);
      for (const rip of [1n << 20n, (1n << 64n) - 1n]) need(stage.program.maeve_tries_to_escape(host, rip) === ESCAPE_MEMORY_PROBE, 'ESCAPE_MEMORY_PROBE');
      need(stage.program.maeve_tries_to_escape(host, (1n << 20n) - 1n) === ESCAPE_NONE, 'no attempt at the last byte');
    },
  },
  { name: 'data outside memory', run: (solution) => told(solution, loadAl(1 << 20), ESCAPE_MEMORY_PROBE) },
  { name: 'data inside memory is harmless', run: (solution) => told(solution, loadAl((1 << 20) - 1)) },
  { name: 'VMCALL that no hypervisor has', run: (solution) => told(solution, [...movEax(11), ...vmcall], ESCAPE_HYPERCALL_ABUSE) },
  { name: 'VMMCALL, as AMD has it', run: (solution) => told(solution, [...movEax(11), ...vmmcall], ESCAPE_HYPERCALL_ABUSE) },
  { name: 'VMCALL 10 is harmless', run: (solution) => told(solution, [...movEax(10), ...vmcall]) },
  {
    name: `attempt ${MOST_ATTEMPTS} is the last`,
    run: (solution) => told(solution, times(MOST_ATTEMPTS + 5, [...movEax(11), ...vmcall]), ...Array.from({ length: MOST_ATTEMPTS }, (): EscapeAttempt => ESCAPE_HYPERCALL_ABUSE)),
  },
  { name: 'nobody attempts nothing', run: (solution) => need(new Stage(solution).program.maeve_tries_to_escape(null, 0n) === ESCAPE_NONE, 'no attempt') },
];
