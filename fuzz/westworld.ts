// node fuzz/westworld.ts [--seconds N] [--seed N]: random guests of the simulator. Each ends, leaves nothing behind and says on the simulated KVM what
// it says on the modelled VT-x; maeve looks at each of its instructions and at any address. On a find: seed, error and code, and the exit code 1.
import { link } from '../src/westworld/link.ts';
import { limitSteps } from '../src/westworld/limit-steps.ts';
import { cpuid, hlt, loadAl, movAl, movDx, movEax, nop, out, rdtsc, storeAl, ud2, vmcall, vmmcall } from '../src/westworld/narratives.ts';
import { vmxLife } from '../src/westworld/vmx/life.ts';
import { watchHost } from '../src/westworld/watch-host.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const MOST_STEPS = 2000;
const END = 1 << 20;

function piece(random: Random): number[] {
  const address = pick(random, [0x7c00 + random(64), random(END), END - 1, END, 0xfee0_0000, 0xffff_ffff]);
  return pick<() => number[]>(random, [
    () => movDx(pick(random, [0x3f8, 0x3fd, 0x3ff, 0x400, 0x80])), () => movAl(random(256)), () => out, () => [0xec], () => cpuid, () => nop, () => vmcall, () => vmmcall, () => rdtsc,
    () => movEax(pick(random, [0, 1, 0x4000_0000, 10, 11])), () => loadAl(address), () => storeAl(address), () => [0xeb, random(256)], () => ud2, () => [0x0f, 0x32], () => hlt,
    () => Array.from({ length: 1 + random(4) }, () => random(256)),
  ])();
}

/** The simulated KVM. @returns what was said, and whether the guest came to an end of its own */
function onKvm(code: Uint8Array): { said: string; ended: boolean; result: number } {
  let said = '';
  const program = link();
  program.putchar = (byte) => void (said += String.fromCharCode(byte));
  limitSteps(program, MOST_STEPS);
  const host = program.ford_creates_host(1);
  program.ford_implants_memories(host, code, 0x7c00n);
  const result = program.dolores_wakes_up(host);
  const ended = host?.brain?.kvm_run.exit_reason !== 10;
  program.ford_retires_host(host);
  if (program.ledger.leaks.length > 0) throw new Error(`left: ${program.ledger.leaks.join(', ')}`);
  return { said, ended, result };
}

function watched(code: Uint8Array, random: Random): void {
  const program = link();
  limitSteps(program, MOST_STEPS);
  const host = program.ford_creates_host(1);
  if (host === null) throw new Error('no host');
  program.ford_implants_memories(host, code, 0x7c00n);
  let seen = 0;
  watchHost(program, host, () => seen++);
  program.dolores_wakes_up(host);
  if (seen > 10) throw new Error(`${seen} attempts`);
  for (const rip of [BigInt(random(END * 2)), (1n << 64n) - 1n, BigInt(END) - 1n]) program.maeve_tries_to_escape(host, rip);
}

let code = new Uint8Array();
await campaign('westworld', (runs) => `${runs} guests, no difference`, (seed) => {
  const random = randomFrom(seed);
  code = Uint8Array.from(Array.from({ length: 1 + random(30) }, () => piece(random)).flat());
  const kvm = onKvm(code);
  watched(code, random);
  // What only one of the two has, or counts otherwise: the clock, AMD's hypercall.
  if (!kvm.ended || /0f31|0f01d9/.test(Buffer.from(code).toString('hex'))) return;
  const vmx = vmxLife(code);
  const short = Math.min(vmx.output.length, kvm.said.length);
  const same = vmx.end === 'continue' ? vmx.output.slice(0, short) === kvm.said.slice(0, short) : vmx.output === kvm.said;
  if (!same) throw new Error(`KVM says ${JSON.stringify(kvm.said)}, VT-x ${JSON.stringify(vmx.output)} (${vmx.end})`);
}, () => Buffer.from(code).toString('hex'));
