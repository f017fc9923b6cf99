import {
  KVM_API_VERSION, KVM_CAP_DEBUGREGS, KVM_CAP_EXT_CPUID, KVM_CAP_IMMEDIATE_EXIT, KVM_CAP_IRQCHIP, KVM_CAP_MAX_VCPUS, KVM_CAP_MP_STATE, KVM_CAP_NR_MEMSLOTS,
  KVM_CAP_PIT2,
  KVM_CAP_READONLY_MEM, KVM_CAP_SET_GUEST_DEBUG, KVM_CAP_USER_MEMORY, KVM_CAP_VCPU_EVENTS, KVM_CAP_XCRS, KVM_CAP_XSAVE, KVM_GET_VCPU_MMAP_SIZE,
} from '../abi/kvm.ts';
import { cpuState, segmentRegisters, UNUSABLE } from '../cpu/state.ts';
import { createBus } from '../device/bus.ts';
import { DelosError } from '../lib/errors.ts';
import { put } from '../lib/layout.ts';
import { KvmProcessors } from './kvm.ts';
import { kvmCall } from './kvm/vcpu.ts';
import { Vm } from './kvm/vm.ts';
import { createGuestMemory } from './memory.ts';

/** What is known of this machine's KVM. */
export interface KvmProbe {
  /** A guest can be run, and its kernel runs on the processor itself. */
  readonly useful: boolean;
  /** One sentence for a person: what there is, or why it is of no use. */
  readonly sentence: string;
  readonly version: number | undefined;
  /** What KVM_CHECK_EXTENSION says, by name: 0 is no, and some are counts. */
  readonly extensions: Readonly<Record<string, number>>;
  /** Size of struct kvm_run and what follows it, bytes. */
  readonly mapSize: number | undefined;
  /** Instructions a second in the guest's kernel mode. */
  readonly kernelRate: number | undefined;
}

/** Without these there is no machine of ours. */
const needed = {
  KVM_CAP_USER_MEMORY, KVM_CAP_EXT_CPUID, KVM_CAP_MP_STATE, KVM_CAP_VCPU_EVENTS, KVM_CAP_DEBUGREGS, KVM_CAP_XSAVE, KVM_CAP_XCRS, KVM_CAP_READONLY_MEM,
  KVM_CAP_IMMEDIATE_EXIT,
};
const told = { ...needed, KVM_CAP_IRQCHIP, KVM_CAP_PIT2, KVM_CAP_SET_GUEST_DEBUG, KVM_CAP_MAX_VCPUS, KVM_CAP_NR_MEMSLOTS };

/** A processor runs some billions of instructions a second, an interpreter in the kernel some millions: for kernels that don't tell. */
const slowest = 100e6;
const measuredNs = 1e6;
/** Beside other programs an attempt may get no time at all: it is then repeated, each time for twice as long. */
const attempts = 3;
const mostAttempts = 8;
const counter = cpuState.fields.rcx.offset;

/** Asks KVM, and lets a guest of a few bytes run for some milliseconds. Never throws for what the machine is like. */
export function probeKvm(): KvmProbe {
  const nothing = { useful: false, version: undefined, extensions: {}, mapSize: undefined, kernelRate: undefined };
  let vm: Vm | undefined;
  try {
    vm = new Vm();
    const machine = vm;
    const extensions = Object.fromEntries(Object.entries(told).map(([name, number]) => [name, machine.extension(number)]));
    const found = { ...nothing, version: KVM_API_VERSION, extensions, mapSize: kvmCall('KVM_GET_VCPU_MMAP_SIZE', vm.system, KVM_GET_VCPU_MMAP_SIZE) };
    const missing = Object.keys(needed).filter((name) => extensions[name] === 0);
    if (missing.length > 0) return { ...found, sentence: `KVM of this kernel is too old: it has no ${missing.join(', no ')}` };
    return { ...found, ...judge(measure()) };
  } catch (error) {
    if (error instanceof DelosError) return { ...nothing, sentence: error.message };
    throw error;
  } finally {
    vm?.close();
  }
}

function judge(measured: Measured | string): Pick<KvmProbe, 'useful' | 'sentence' | 'kernelRate'> {
  if (typeof measured === 'string') return { useful: false, kernelRate: undefined, sentence: `KVM can't run a guest: ${measured}` };
  const { rate, interprets } = measured;
  const millions = rate / 1e6;
  const speed = `${millions < 10 ? millions.toFixed(1) : Math.round(millions)} million instructions/s`;
  if (!interprets) return { useful: true, kernelRate: rate, sentence: `KVM runs a guest's kernel on the processor (${speed})` };
  const sentence = `KVM interprets a guest's kernel mode here (${speed}): it is virtualized itself, without the processor's help`;
  return { useful: false, kernelRate: rate, sentence };
}

interface Measured {
  /** Instructions a second at CPL 0. */
  readonly rate: number;
  /** KVM does them, not the processor. */
  readonly interprets: boolean;
}

/** A loop at CPL 0 for some milliseconds: how fast it goes, or why it does not. */
function measure(): Measured | string {
  const memory = createGuestMemory([{ guestAddress: 0, size: 65536 }]);
  // inc ecx; jmp back
  memory.bytes(0x1000, 3).set([0x41, 0xeb, 0xfd]);
  const interrupts = { pending: () => false, acknowledge: () => 0 };
  const processors = new KvmProcessors({ memory, bus: createBus(), interrupts, cpus: 1, cpuid: () => [0, 0, 0, 0] });
  try {
    const [cpu] = processors.cpus;
    if (cpu === undefined) throw new Error('assertion: a machine has a processor');
    protectedMode(cpu.state, 0x1000);
    let rate = 0;
    let done = 0;
    for (let attempt = 0; attempt < mostAttempts && (attempt < attempts || done === 0) && rate < slowest; attempt++) {
      const before = cpu.state.getUint32(counter, true);
      const started = performance.now();
      const exit = cpu.run(measuredNs * (done === 0 ? 2 ** attempt : 1));
      const milliseconds = performance.now() - started;
      if (exit.kind !== 'budget') return exit.kind === 'error' ? exit.message : `it ends with ${exit.kind}`;
      const instructions = 2 * ((cpu.state.getUint32(counter, true) - before) >>> 0);
      done += instructions;
      rate = Math.max(rate, (1000 * instructions) / milliseconds);
    }
    // A processor that is emulated runs a loop slowly too, but KVM has no part in it.
    const { interpreted } = processors;
    return { rate, interprets: interpreted === undefined ? rate < slowest : interpreted > done / 2 };
  } finally {
    processors.close();
  }
}

/** Flat and without paging: real mode is interpreted by some processors' KVM that run everything else. */
function protectedMode(state: DataView, rip: number): void {
  const set = (name: keyof typeof cpuState.fields, value: number): void => put(state, cpuState.fields[name].offset, cpuState.fields[name].type, value);
  for (const name of segmentRegisters) {
    const attributes = name === 'cs' ? 0xc09b : name === 'tr' ? 0x8b : name === 'ldtr' ? 0x82 | UNUSABLE : 0xc093;
    const flat = name !== 'tr' && name !== 'ldtr';
    set(`${name}Base`, 0);
    set(`${name}Limit`, flat ? 0xffffffff : 0xffff);
    set(`${name}Selector`, flat ? 8 : 0);
    set(`${name}Attributes`, attributes);
  }
  set('cr0', 0x11);
  set('rip', rip);
  set('rflags', 2);
}
