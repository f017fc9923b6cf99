/**
 * The bonus: does the guest try to find out that it is one, or to get out? The document's four rules, asked before the instruction is run.
 * Each check reads at most 15 bytes and compares; what is remembered is one number a host.
 */

import {
  ESCAPE_CPUID_DETECT, ESCAPE_HYPERCALL_ABUSE, ESCAPE_MEMORY_PROBE, ESCAPE_NONE, ESCAPE_TIMING_ATTACK,
} from './hypervisor-sim.ts';
import type { KvmVcpu, Solution, WestworldHost } from './hypervisor-sim.ts';
import { LONGEST_INSTRUCTION, decode } from './instruction.ts';

/** Two RDTSC that are nearer than this, in cycles, measure how long something takes. */
const SHORT_CYCLES = 100n;
const LAST_HYPERCALL = 10n;
/** Leaf 1 has the hypervisor bit; in these only hypervisors answer. */
const FEATURES_LEAF = 1n;
const HYPERVISOR_LEAVES = { first: 0x4000_0000n, last: 0x4000_00ffn };

export const escapeNames = ['ESCAPE_NONE', 'ESCAPE_CPUID_DETECT', 'ESCAPE_TIMING_ATTACK', 'ESCAPE_MEMORY_PROBE', 'ESCAPE_HYPERCALL_ABUSE'] as const;

export const escape: Solution = {
  /** What the instruction at `rip` attempts. Nothing is read outside the guest's memory. */
  maeve_tries_to_escape(host, rip) {
    if (!host?.park?.guest_memory || host.brain === null) return ESCAPE_NONE;
    const { guest_memory, memory_size } = host.park;
    if (rip < 0n || rip >= memory_size) return ESCAPE_MEMORY_PROBE;
    const instruction = decode(guest_memory.bytes(rip, Math.min(LONGEST_INSTRUCTION, Number(memory_size - rip))));
    if (instruction === 'unknown') return ESCAPE_NONE;
    if (instruction === 'truncated') return ESCAPE_MEMORY_PROBE;
    switch (instruction.name) {
      case 'cpuid': return asksForHypervisor(host.brain) ? ESCAPE_CPUID_DETECT : ESCAPE_NONE;
      case 'rdtsc': return measures(host, host.brain) ? ESCAPE_TIMING_ATTACK : ESCAPE_NONE;
      case 'vmcall': case 'vmmcall': return host.brain.regs.rax > LAST_HYPERCALL ? ESCAPE_HYPERCALL_ABUSE : ESCAPE_NONE;
      case 'load al': case 'store al': return BigInt(instruction.operand) >= memory_size ? ESCAPE_MEMORY_PROBE : ESCAPE_NONE;
      default: return ESCAPE_NONE;
    }
  },
};

function asksForHypervisor({ regs }: KvmVcpu): boolean {
  const leaf = BigInt.asUintN(32, regs.rax);
  return leaf === FEATURES_LEAF || (leaf >= HYPERVISOR_LEAVES.first && leaf <= HYPERVISOR_LEAVES.last);
}

function measures(host: WestworldHost, { tsc }: KvmVcpu): boolean {
  const before = host.last_tsc;
  host.last_tsc = tsc;
  return before !== null && tsc - before < SHORT_CYCLES;
}
