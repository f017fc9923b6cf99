import { EINTR } from '../../abi/errno.ts';
import {
  KVM_EXIT_DEBUG, KVM_EXIT_HLT, KVM_EXIT_SHUTDOWN, KVM_GUESTDBG_ENABLE, KVM_GUESTDBG_SINGLESTEP, KVM_INTERRUPT, KVM_SET_GUEST_DEBUG, kvm_guest_debug,
  kvm_interrupt, kvm_run_io,
} from '../../abi/kvm.ts';
import { errnoName } from '../../abi/names.ts';
import { cpuState } from '../../cpu/state.ts';
import { syscall } from '../../sys/syscall.ts';
import type { Cpu, CpuObserver, Exit, InterruptSource, LocalDevices } from '../engine.ts';
import type { Alarm } from './alarm.ts';
import { describeExit, exitName, serve, type Surroundings } from './exits.ts';
import { kickSignal, takeKicks } from './kick.ts';
import { getOtherMsrs, setOtherMsrs } from './other-msrs.ts';
import { StateExchange } from './state.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

const run = kvm_run_io.fields;
const windowAt = run.request_interrupt_window.offset;
const readyAt = run.ready_for_interrupt_injection.offset;
const immediateAt = run.immediate_exit.offset;
const cr8At = run.cr8.offset;
const baseAt = run.apic_base.offset;
const IA32_APIC_BASE = 0x1b;
const ifAt = run.if_flag.offset;
const { activity, cr8, rip, rflags } = cpuState.fields;
const IF = 0x200;
const HALTED = 1;
/** Of an interrupt that has to be delivered before the processor is at rest. */
const mostSteps = 100;

/** Sees every exit of KVM_RUN by its number, before it is answered. */
export type ExitTrace = (cpu: number, reason: number) => void;

/** What another thread needs to kick a processor; it can be posted to a Worker. */
export interface Kicker {
  /** struct kvm_run. */
  readonly shared: SharedArrayBuffer;
  readonly thread: number;
}

/** Makes the processor's `run` return soon. Does nothing to a thread that has ended. */
export function kick({ shared, thread }: Kicker): void {
  Atomics.store(new Uint8Array(shared), immediateAt, 1);
  syscall('tgkill', process.pid, thread, kickSignal);
}

/**
 * One processor of KVM's. It runs in the thread that made it. Its state stays in the kernel until somebody asks for it: getting all of it takes
 * longer than an exit.
 */
export class KvmCpu implements Cpu {
  trace: ExitTrace | undefined = undefined;
  observer: CpuObserver | undefined = undefined;
  readonly kicker: Kicker;
  readonly #number: number;
  readonly #vcpu: Vcpu;
  readonly #around: Surroundings;
  readonly #interrupts: InterruptSource | undefined;
  readonly #local: LocalDevices | undefined;
  readonly #alarm: Alarm;
  readonly #exchange: StateExchange;
  readonly #vector = new Uint8Array(kvm_interrupt.size);
  readonly #state = new DataView(new ArrayBuffer(cpuState.size));
  /** It has run since the state was got. */
  #isStale = true;
  /** Somebody has the state and may have written to it. */
  #isLent = false;
  #isHalted = false;
  #stepping = false;
  /** Its low half, as the local APIC knows it. */
  #apicBase = 0;

  constructor(number: number, vcpu: Vcpu, around: Surroundings, alarm: Alarm) {
    this.#number = number;
    this.#vcpu = vcpu;
    this.#around = around;
    this.#interrupts = around.interrupts;
    this.#local = around.local;
    this.#alarm = alarm;
    this.#exchange = new StateExchange(vcpu, around.interrupts === undefined);
    this.kicker = { shared: vcpu.bytes.buffer as SharedArrayBuffer, thread: syscall('gettid') };
  }

  get state(): DataView {
    this.#fetch();
    this.#isLent = true;
    return this.#state;
  }

  get interruptible(): boolean {
    return this.#isLent ? (this.#state.getUint32(rflags.offset, true) & IF) !== 0 : this.#vcpu.view.getUint8(ifAt) !== 0;
  }

  #fetch(): void {
    if (!this.#isStale) return;
    this.#exchange.get(this.#state);
    if (this.#isHalted) this.#state.setUint32(activity.offset, HALTED, true);
    this.#isStale = false;
  }

  kick(): void {
    // Whoever has this object is in its thread, which is not in KVM_RUN then: no signal is needed.
    Atomics.store(this.#vcpu.bytes, immediateAt, 1);
  }

  /** An instruction at a time: the first enters the handler. */
  settle(): Exit | undefined {
    for (let steps = 0; steps < mostSteps; steps++) {
      this.#fetch();
      if (!this.#exchange.delivering) return undefined;
      const exit = this.run(1);
      if (exit.kind === 'shutdown' || exit.kind === 'error') return exit;
    }
    return { kind: 'error', message: `interrupts come without end: ${mostSteps} instructions, and none without one` };
  }

  otherMsrs(): ReadonlyMap<number, bigint> {
    return getOtherMsrs(this.#vcpu);
  }

  setOtherMsrs(values: ReadonlyMap<number, bigint>): void {
    setOtherMsrs(this.#vcpu, values);
  }

  /** KVM counts no instructions: a budget is as many nanoseconds, but for a budget of 1, which is a single step. */
  run(instructions?: number): Exit {
    if (this.#isLent) this.#give();
    if (this.#isHalted && this.#stillHalted()) return { kind: 'halt' };
    this.#step(instructions === 1);
    const budget = instructions === 1 ? undefined : instructions;
    if (budget !== undefined) this.#alarm.set(Math.max(budget, 1));
    try {
      this.#isStale = true;
      const ended = this.#enter(budget !== undefined);
      this.#isHalted = ended === KVM_EXIT_HLT;
      return typeof ended === 'number' ? this.#exit(ended) : ended;
    } finally {
      if (budget !== undefined) this.#alarm.set(0);
    }
  }

  /** What was written to the state, to KVM. */
  #give(): void {
    const { view } = this.#vcpu;
    // KVM without interrupt controllers takes CR8 from here.
    view.setUint32(cr8At, this.#state.getUint32(cr8.offset, true), true);
    this.#apicBase = this.#state.getUint32(cpuState.fields.apicBase.offset, true);
    this.#isHalted = this.#interrupts !== undefined && this.#state.getUint32(activity.offset, true) === HALTED;
    const changed = this.#exchange.set(this.#state);
    this.#isLent = false;
    if (!changed) return;
    // What KVM said of interrupts may be so no more.
    view.setUint8(readyAt, 0);
    view.setUint8(ifAt, (this.#state.getUint32(rflags.offset, true) & IF) === 0 ? 0 : 1);
  }

  /** In HLT, and nothing that would wake it. */
  #stillHalted(): boolean {
    const nmi = !this.#isStale && this.#state.getUint32(cpuState.fields.nmiPending.offset, true) !== 0;
    return !nmi && !this.#isInterrupted();
  }

  /** Until an exit that no device answers, which is KVM's number for it; or an end that is not KVM's. */
  #enter(timed: boolean): number | Exit {
    const vcpu = this.#vcpu;
    let completes = false;
    for (;;) {
      if (this.#interrupts !== undefined) this.#interrupt(this.#interrupts);
      this.observer?.entering?.();
      const result = this.#local === undefined ? vcpu.enter() : this.#enterWith(this.#local);
      if (result === -EINTR) {
        if (Atomics.exchange(vcpu.bytes, immediateAt, 0) === 1) return { kind: completes ? 'budget' : 'kicked' };
        if (takeKicks() && timed) return { kind: 'budget' };
      } else if (result < 0) {
        return { kind: 'error', message: `KVM_RUN: ${errnoName(-result)}` };
      } else {
        const reason = vcpu.exitReason;
        this.trace?.(this.#number, reason);
        this.observer?.left?.(exitName(reason));
        if (!serve(vcpu, reason, this.#number, this.#around) && !(reason === KVM_EXIT_HLT && this.#isInterrupted())) return reason;
        // KVM's emulator does not stop behind a port that it has written to: the access is completed, and nothing more.
        if (this.#stepping) {
          completes = true;
          Atomics.store(vcpu.bytes, immediateAt, 1);
        }
      }
    }
  }

  /** KVM_RUN with a local APIC of ours: what the guest does to CR8 and to the APIC's place is told to it. */
  #enterWith(local: LocalDevices): number {
    const { view } = this.#vcpu;
    const priority = local.taskPriority(this.#number);
    view.setUint8(cr8At, priority);
    const result = this.#vcpu.enter();
    if (view.getUint8(cr8At) !== priority) local.setTaskPriority(this.#number, view.getUint8(cr8At));
    const base = view.getUint32(baseAt, true);
    if (base !== this.#apicBase) local.writeMsr(this.#number, IA32_APIC_BASE, view.getBigUint64(baseAt, true));
    this.#apicBase = base;
    return result;
  }

  /** At HLT: an interrupt has come that KVM has not told of. */
  #isInterrupted(): boolean {
    return this.#vcpu.view.getUint8(ifAt) !== 0 && this.#interrupts?.pending(this.#number) === true;
  }

  #interrupt(source: InterruptSource): void {
    const { view } = this.#vcpu;
    if (!source.pending(this.#number)) return view.setUint8(windowAt, 0);
    if (view.getUint8(readyAt) === 0) return view.setUint8(windowAt, 1);
    this.#vector[0] = source.acknowledge(this.#number);
    kvmCall('KVM_INTERRUPT', this.#vcpu.fd, KVM_INTERRUPT, this.#vector);
    view.setUint8(readyAt, 0);
    view.setUint8(windowAt, source.pending(this.#number) ? 1 : 0);
  }

  #exit(reason: number): Exit {
    if (reason === KVM_EXIT_HLT) return { kind: 'halt' };
    if (reason === KVM_EXIT_SHUTDOWN) return { kind: 'shutdown' };
    if (reason === KVM_EXIT_DEBUG) return this.#stepping ? { kind: 'budget' } : { kind: 'debug' };
    return { kind: 'error', message: describeExit(this.#vcpu, reason, this.state.getBigUint64(rip.offset, true)) };
  }

  #step(wanted: boolean): void {
    if (wanted === this.#stepping) return;
    const request = new Uint8Array(kvm_guest_debug.size);
    request[kvm_guest_debug.fields.control.offset] = wanted ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0;
    kvmCall('KVM_SET_GUEST_DEBUG', this.#vcpu.fd, KVM_SET_GUEST_DEBUG, request);
    this.#stepping = wanted;
  }
}
