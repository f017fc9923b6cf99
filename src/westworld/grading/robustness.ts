/** What kills the mutants: allocations that fail, ends of memory, exits of every kind, and everything released once and in order. */

import { KVM_EXIT_FAIL_ENTRY, KVM_EXIT_UNKNOWN } from '../hypervisor-sim.ts';
import type { KvmVcpu, Solution, Westworld, WestworldHost } from '../hypervisor-sim.ts';
import type { Entry } from '../ledger.ts';
import { greeting, hlt, loadAl, movAl, movDx, nop, out, storeAl, ud2, vmcall } from '../narratives.ts';
import type { Check } from './check.ts';
import { Stage, need } from './stage.ts';

const END = 1n << 20n;
const ONES = (1n << 64n) - 1n;
/** More than the reference allocates. */
const MOST_ALLOCATIONS = 64;
/** In the document's encoding of real mode no instruction begins with it. */
const UNKNOWN_OPCODE = 0x06;

/** The last made goes first. */
function isMirrored(entries: readonly Entry[]): boolean {
  const standing: string[] = [];
  return entries.every(({ kind, what }) => (kind === 'made' ? standing.push(what) > 0 : standing.pop() === what)) && standing.length === 0;
}

function everyAllocationFails(solution: Solution): void {
  for (let failing = 0; failing < MOST_ALLOCATIONS; failing++) {
    const { program, ledger } = new Stage(solution, failing);
    const host = program.ford_creates_host(1);
    if (host !== null) {
      need(!ledger.refused, `no host when allocation ${failing} fails`);
      return;
    }
    need(ledger.leaks.length === 0, `nothing to be left when allocation ${failing} fails, not ${ledger.leaks.join(', ')}`);
    need(isMirrored(ledger.entries), `the last made to go first when allocation ${failing} fails`);
  }
  need(false, `a host after ${MOST_ALLOCATIONS} allocations`);
}

/** Code whose last byte is the last byte of memory. */
const ending = (code: readonly number[]): bigint => END - BigInt(code.length);

/** Runs code up to the end of memory, which has to be told, and must not have guessed what comes behind it. */
function fallsOff(solution: Solution, code: readonly number[]): void {
  const { program, brain, host } = ready(solution, code, ending(code));
  brain.regs.rax = brain.regs.rdx = ONES;
  const result = program.dolores_wakes_up(host);
  need(result === -1 && brain.kvm_run.exit_reason === KVM_EXIT_FAIL_ENTRY, 'KVM_EXIT_FAIL_ENTRY and -1 at the end of memory');
  need(brain.regs.rax === ONES && brain.regs.rdx === ONES, 'RAX and RDX to stay');
}

function ready(solution: Solution, code: readonly number[], addr?: bigint): { program: Westworld; host: WestworldHost; brain: KvmVcpu } {
  const stage = new Stage(solution);
  const host = stage.host(code, addr);
  need(host.brain, 'a processor');
  return { program: stage.program, host, brain: host.brain };
}

function refusesMemories(solution: Solution): void {
  const { program } = new Stage(solution);
  const host = program.ford_creates_host(1);
  const two = Uint8Array.of(...nop, ...hlt);
  need(host, 'a host of 1 MB');
  need(program.ford_implants_memories(null, two, 0n) === -1, '-1 without a host');
  need(program.ford_implants_memories(host, null, 0n) === -1, '-1 without code');
  need(program.ford_implants_memories(host, two, END - 1n) === -1, '-1 for code that ends behind memory');
  need(program.ford_implants_memories(host, two, ONES) === -1, '-1 where addr + size is more than 64 bits');
  need(host.brain?.regs.rip === 0x7c00n, 'RIP to stay when nothing was loaded');
  need(program.ford_implants_memories(host, two, END - 2n) === 0 && host.brain.regs.rip === END - 2n, 'code to fit that ends where memory ends');
}

export const robustness: readonly Check[] = [
  { name: 'every allocation fails once', run: everyAllocationFails },
  {
    name: 'retired in reverse order, each thing once',
    run: (solution) => {
      const stage = new Stage(solution);
      stage.program.ford_retires_host(stage.lived(greeting).host);
      need(stage.ledger.leaks.length === 0, `nothing to be left, not ${stage.ledger.leaks.join(', ')}`);
      need(isMirrored(stage.ledger.entries), 'the last made to go first');
    },
  },
  {
    name: 'nobody is nobody',
    run: (solution) => {
      const { program } = new Stage(solution);
      need(program.dolores_wakes_up(null) === -1, '-1 for waking nobody');
      program.ford_says_freeze(null, null);
      program.ford_retires_host(null);
    },
  },
  { name: 'memories that do not fit', run: refusesMemories },
  { name: 'the last instruction ends where memory ends', run: (solution) => fallsOff(solution, nop) },
  {
    name: 'an instruction cut off by the end of memory',
    run: (solution) => {
      for (const cut of [movDx(0x3f8).slice(0, 1), movDx(0x3f8).slice(0, 2), movAl(0).slice(0, 1)]) fallsOff(solution, cut);
    },
  },
  {
    name: 'what an instruction does not write stays',
    run: (solution) => {
      const { program, brain, host } = ready(solution, [...movDx(0x1234), ...movAl(0x56), ...hlt]);
      brain.regs.rdx = brain.regs.rax = ONES;
      program.dolores_wakes_up(host);
      need(brain.regs.rdx === 0xffff_ffff_ffff_1234n && brain.regs.rax === 0xffff_ffff_ffff_ff56n, 'only DX and only AL to change');
    },
  },
  {
    name: 'only COM1 is a voice',
    run: (solution) => {
      const say = (port: number): number[] => [...movDx(port), ...movAl(0x2b), ...out];
      const { said } = new Stage(solution).lived([...say(0x3f7), ...say(0x3f8), ...say(0x3ff), ...say(0x400), ...say(0x80), ...hlt]);
      need(said === '++[VM] CPU halted\n', 'a byte for each of the ports 0x3f8 to 0x3ff');
    },
  },
  {
    name: 'memory that is not there reads as ones, and life goes on',
    run: (solution) => {
      const { host, result, said } = new Stage(solution).lived([...movAl(0), ...storeAl(0xfee0_0000), ...loadAl(0xfee0_0000), ...movDx(0x3f8), ...out, ...hlt]);
      need(result === 0 && said === '\xff[VM] CPU halted\n' && host.memories?.violations === 2, '0xff, after two exits');
    },
  },
  {
    name: 'a hypercall is answered',
    run: (solution) => {
      const { host } = new Stage(solution).lived([...vmcall, ...hlt]);
      need(!host.conscious && host.brain?.regs.rax === ONES - 999n, '-1000 in RAX, then the halt');
    },
  },
  {
    name: 'shutdown and the unknown end the loop',
    run: (solution) => {
      const dead = new Stage(solution).lived(ud2);
      need(dead.result === 0 && !dead.host.conscious, 'an end after a shutdown');
      const odd = new Stage(solution).lived([UNKNOWN_OPCODE]);
      need(odd.result === 0 && !odd.host.conscious && odd.host.brain?.kvm_run.exit_reason === KVM_EXIT_UNKNOWN, 'an end after an unknown instruction');
      need(odd.said.includes('Exit non gere'), '"Exit non gere"');
    },
  },
];
