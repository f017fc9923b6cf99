import type { Witness } from '../cpu/system/processor.ts';
import type { Bus } from '../device/bus.ts';
import type { GuestMemory } from './memory.ts';

/** What can run a machine's processors. */
export interface Engine {
  readonly name: 'interpreter' | 'kvm';
  /** It has interrupt controllers and 8254 of its own, and is to be opened without `interrupts`. */
  readonly controllers?: true;
  /** true, or one sentence: why it can't run here. */
  available(): true | string;
  open(options: EngineOptions): Processors;
}

export interface EngineOptions {
  readonly memory: GuestMemory;
  /** Ports and memory that is no RAM: the engine asks it in the middle of an instruction. */
  readonly bus: Bus;
  /** The interrupt controllers that interrupt the processors; undefined when the engine is to use its own (KVM's in-kernel ones). */
  readonly interrupts: InterruptSource | undefined;
  readonly cpus: number;
  /** What a processor reaches by its own registers. An engine whose interrupt controllers are its own does not ask. */
  readonly local?: LocalDevices;
  /** CPUID as the guest sees it: leaf and subleaf to EAX, EBX, ECX, EDX. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
}

/** The devices that a processor has for itself: local APIC and time-stamp counter. */
export interface LocalDevices {
  timestamp(): bigint;
  /** Undefined for an MSR that is none of theirs. */
  readMsr(cpu: number, number: number): bigint | undefined;
  /** false: #GP. */
  writeMsr(cpu: number, number: number, value: bigint): boolean;
  /** CR8: bits 4 to 7 of the local APIC's TPR. */
  taskPriority(cpu: number): number;
  setTaskPriority(cpu: number, priority: number): void;
}

/** What the pair of 8259, or a local APIC, is to its processor: the INTR pin and the acknowledge cycle. */
export interface InterruptSource {
  /** Whether a maskable interrupt is waiting for this processor. */
  pending(cpu: number): boolean;
  /** The vector of the interrupt that is taken now. */
  acknowledge(cpu: number): number;
}

export interface Processors {
  readonly cpus: readonly Cpu[];
  /** The budget of `run` is nanoseconds: this engine counts no instructions. */
  readonly timed?: true;
  /** CPUID as the guest sees it, where that is less than the engine was asked for. */
  cpuid?(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** A line of the engine's own interrupt controllers (global system interrupt). */
  interrupt?(line: number, up: boolean): void;
  close(): void;
}

/** Who looks on while a processor runs. What an engine does not see it never tells. */
export interface CpuObserver extends Witness {
  /** The guest's code has been left, and why: KVM's name for it (KVM_EXIT_IO). What it asks for is not done yet. */
  left?(reason: string): void;
  /** It is about to go on. */
  entering?(): void;
}

/**
 * One processor. `state` is a cpu_state (src/cpu/state.ts), whole whenever `run` has returned; what is written to it counts from the next `run`
 * on. It is asked for anew after each `run`: an engine may have it elsewhere until then.
 */
export interface Cpu {
  readonly state: DataView;
  /** Costs nothing while there is none. */
  observer?: CpuObserver | undefined;
  /** How many it has executed, exact also when a device is asked in the middle of one; where the engine counts them. */
  readonly instructions?: number | undefined;
  /** Whether maskable interrupts are let in, for who wants to know no more of the state; where that is cheaper. */
  readonly interruptible?: boolean;
  /** Runs until there is something to say, at the latest when about `instructions` are done or `kick` was called. */
  run(instructions?: number): Exit;
  /** Makes `run` return soon; of any thread, and before `run` too. */
  kick(): void;
  /**
   * Brings what is on its way into the processor (an interrupt whose handler has not been entered) to its end, so that `state` is all there is.
   * @returns how it stopped when it could not; undefined when it is at rest
   */
  settle(): Exit | undefined;
  /** MSRs that are not in `state`, by number: those that a guest may have changed. */
  otherMsrs(): ReadonlyMap<number, bigint>;
  /** Sets them; what this engine doesn't have is left out. @throws DelosError for a value that is refused */
  setOtherMsrs(values: ReadonlyMap<number, bigint>): void;
}

/** Why a processor has stopped. Ports and memory-mapped registers have been served by the bus and are no reason. */
export type Exit =
  | { readonly kind: 'halt' }
  | { readonly kind: 'kicked' }
  /** The budget of instructions is used up. */
  | { readonly kind: 'budget' }
  /** A triple fault. */
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'debug' }
  /** The engine can't go on, and why: an instruction that KVM does not know, an entry that the processor refuses. */
  | { readonly kind: 'error'; readonly message: string };
