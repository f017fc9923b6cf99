/** A whole computer: memory, a PC's devices, processors of an engine, and the loop that lets them run. Works in a browser: nothing of Node here. */

import { createAcpiTables } from '../boot/acpi/tables.ts';
import { boot } from '../boot/catalogue.ts';
import type { BootModule } from '../boot/boot.ts';
import { firmwareItems } from '../boot/firmware-items.ts';
import { firmwarePlace, loadFirmware } from '../boot/firmware.ts';
import { loadFlat } from '../boot/flat.ts';
import { cpuState } from '../cpu/state.ts';
import { cmosOf } from '../device/cmos.ts';
import type { Cpu, Engine, Exit, Processors } from '../engine/engine.ts';
import { interpreterReserved } from '../engine/interpreter.ts';
import { createGuestMemory, type GuestMemory, type WantedRegion } from '../engine/memory.ts';
import { DelosError } from '../lib/errors.ts';
import { localDevices } from './local.ts';
import { createPc, type Pc, type PcOptions } from './pc.ts';
import { restoreState, saveState, type MachineParts } from './save.ts';
import type { MachineState } from './state.ts';
import type { Cpuid } from './stealth.ts';
import { othersTurn } from './turn.ts';

/** What is started: a kernel by the way that its bytes tell, firmware at the top of 4 GiB, or code in real mode. */
export type MachineStart =
  | { readonly kind: 'kernel'; readonly kernel: Uint8Array; readonly initrd?: Uint8Array; readonly commandLine?: string; readonly modules?: readonly BootModule[] }
  | { readonly kind: 'firmware'; readonly image: Uint8Array }
  | { readonly kind: 'flat'; readonly code: Uint8Array; readonly address: number }
  /** What {@link Machine.save} gave. @param fill puts the memory's content in its place, before anything runs */
  | { readonly kind: 'saved'; readonly state: MachineState; fill(memory: GuestMemory): void };

export interface MachineOptions {
  readonly start: MachineStart;
  /** Bytes of RAM, whole pages. */
  readonly memory: number;
  readonly engine: Engine;
  /** Takes what the guest sends on each serial port; one port that nobody listens to when it isn't given. */
  readonly serial?: readonly ((byte: number) => void)[];
  readonly debugConsole?: (byte: number) => void;
  /** What the guest's CPUID says. */
  readonly cpuid: Cpuid;
  /** Milliseconds since 1970 for the clock chip; now when it isn't given. */
  readonly wallClock?: number;
}

/** How a machine has come to its end. */
export type MachineEnd =
  | { readonly kind: 'power-off' | 'reset' | 'stopped' }
  /** Through the debug exit port: 1 to 255, odd. */
  | { readonly kind: 'debug-exit'; readonly status: number }
  /** A triple fault. */
  | { readonly kind: 'shutdown' }
  /** Halted with interrupts off, or with nothing that could wake it. */
  | { readonly kind: 'halt' }
  | { readonly kind: 'error'; readonly message: string };

/** Instructions between two looks at the clock: half a millisecond of a fast engine's. */
const slice = 50_000;
/** Nanoseconds for which entering a guest is worth it. */
const least = 10_000;
/** How long the guest may have the thread before others get it, in milliseconds. */
const turn = 8;

const IF = 1 << 9;

function regionsOf({ start, memory }: MachineOptions): readonly WantedRegion[] {
  if (start.kind === 'saved') return start.state.regions;
  const ram = { guestAddress: 0, size: memory };
  if (start.kind !== 'firmware') return [ram];
  const { address, bytes } = firmwarePlace(start.image);
  return [ram, { guestAddress: address, size: bytes.length, readOnly: true }];
}

export class Machine {
  readonly memory: GuestMemory;
  readonly pc: Pc;
  readonly cpu: Cpu;
  readonly #processors: Processors;
  readonly engine: Engine['name'];
  /** What CPUID says to the guest. */
  readonly cpuid: Cpuid;
  /** The engine's own interrupt controllers, not the PC's. */
  readonly #hasControllers: boolean;
  #paused = false;
  /** While its processor runs: what devices call is called then. */
  #inGuest = false;
  #end: MachineEnd | undefined;
  #wake: () => void = () => undefined;

  /** @throws DelosError for what can't be started */
  constructor(options: MachineOptions) {
    const { engine } = options;
    this.engine = engine.name;
    this.#hasControllers = engine.controllers === true;
    this.memory = createGuestMemory(regionsOf(options), engine.name === 'interpreter' ? interpreterReserved : 0);
    this.pc = createPc({
      memory: this.memory,
      cpus: 1,
      nanoseconds: () => performance.now() * 1e6,
      wallClock: options.wallClock ?? Date.now(),
      serial: options.serial ?? [() => undefined],
      ...(options.debugConsole && { debugConsole: options.debugConsole }),
      signals: { nmi: () => this.#nmi(), smi: () => undefined, init: () => this.#finish({ kind: 'reset' }), startUp: () => undefined, wake: () => this.wake() },
      events: {
        powerOff: () => this.#finish({ kind: 'power-off' }),
        reset: () => this.#finish({ kind: 'reset' }),
        debugExit: (status) => this.#finish({ kind: 'debug-exit', status }),
      },
      cmos: cmosOf({ below4G: options.memory, cpus: 1 }),
      ...this.#firmware(options),
      ...(engine.controllers && { engineControllers: { lines: { set: (line, up) => this.#processors.interrupt?.(line, up) }, pit: true } }),
    });
    this.#processors = engine.open({
      memory: this.memory, bus: this.pc.bus, interrupts: engine.controllers ? undefined : this.pc.interrupts, cpus: 1, local: localDevices(this.pc),
      cpuid: options.cpuid,
    });
    this.cpu = this.#processors.cpus[0] as Cpu;
    if (this.#processors.timed) this.pc.clock.onEarlier = () => this.cpu.kick();
    this.cpuid = this.#processors.cpuid ?? options.cpuid;
    this.#begin(options.start);
  }

  #firmware({ start, serial }: MachineOptions): Pick<PcOptions, 'firmware'> {
    if (start.kind === 'saved') return { firmware: { items: Object.fromEntries(start.state.firmware) } };
    return start.kind === 'firmware' ? { firmware: firmwareItems({ memory: this.memory, cpus: 1, serialPorts: serial?.length ?? 1 }) } : {};
  }

  #begin(start: MachineStart): void {
    if (start.kind !== 'saved') return this.#load(start);
    if (this.#hasControllers) throw new DelosError('unsupported', 'a saved machine can\'t go on with interrupt controllers in the kernel');
    start.fill(this.memory);
    this.pc.clock.stop();
    return restoreState(this.#parts(), start.state);
  }

  #load(start: Exclude<MachineStart, { kind: 'saved' }>): void {
    const state = this.#startState(start);
    new Uint8Array(this.cpu.state.buffer, this.cpu.state.byteOffset, state.length).set(state);
  }

  #startState(start: Exclude<MachineStart, { kind: 'saved' }>): Uint8Array {
    switch (start.kind) {
      case 'firmware':
        return loadFirmware(start.image, this.memory);
      case 'flat':
        return loadFlat(start.code, start.address, this.memory);
      case 'kernel': {
        const { kernel, initrd, commandLine = '', modules } = start;
        const acpi = createAcpiTables({ cpus: 1, serialPorts: this.pc.serial.length });
        return boot({ kernel, commandLine, acpi, ...(initrd && { initrd }), ...(modules && { modules }) }, this.memory);
      }
      default:
        return start satisfies never;
    }
  }

  /** Runs until it ends, or the signal says so. */
  async run(signal?: AbortSignal): Promise<MachineEnd> {
    const stop = (): void => this.#finish({ kind: 'stopped' });
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop);
    this.#goOn();
    try {
      for (;;) {
        const wait = this.#paused ? Infinity : this.#runFor(turn);
        if (this.#end !== undefined) return this.#end;
        await this.#pause(wait);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** The guest stands still, and so does its time, until {@link resume}. It must not be called by what its devices call. */
  pause(): void {
    this.#atRest();
    this.#paused = true;
    this.pc.clock.stop();
  }

  resume(): void {
    this.#paused = false;
    this.#goOn();
    this.wake();
  }

  /**
   * All of it but its memory, as it is between two instructions. As {@link pause}, not in the middle of one.
   * @throws DelosError when the processor does not come to rest
   */
  save(): MachineState {
    this.#atRest();
    if (this.#hasControllers) throw new DelosError('unsupported', 'a machine whose interrupt controllers are in the kernel can\'t be saved');
    const stopped = this.cpu.settle();
    if (stopped !== undefined) {
      this.#served(stopped);
      throw new DelosError('bad-machine', `the machine has ended while a snapshot was taken: ${stopped.kind}`);
    }
    return saveState(this.#parts());
  }

  #parts(): MachineParts {
    return { memory: this.memory, pc: this.pc, cpus: this.#processors.cpus, cpuid: this.cpuid, softwareCounter: this.engine === 'interpreter' };
  }

  #atRest(): void {
    if (this.#inGuest) throw new Error('assertion: the machine is in the middle of an instruction');
  }

  #goOn(): void {
    if (!this.#paused) this.pc.clock.start();
  }

  /** Runs for some milliseconds. @returns how long nothing is going to happen: 0 when it has to go on */
  #runFor(milliseconds: number): number {
    const until = performance.now() + milliseconds;
    const { clock } = this.pc;
    while (this.#end === undefined && performance.now() < until) {
      clock.run();
      const exit = this.#enter(until);
      if (exit.kind === 'halt') {
        const wait = this.#waitOf();
        if (wait > 0) return wait;
      } else {
        this.#served(exit);
      }
    }
    return 0;
  }

  #enter(until: number): Exit {
    this.#inGuest = true;
    try {
      return this.cpu.run(this.#processors.timed ? this.#nanosecondsTo(until) : slice);
    } finally {
      this.#inGuest = false;
    }
  }

  /** Until a time of performance.now(), or until the first timer is due. */
  #nanosecondsTo(until: number): number {
    const { clock } = this.pc;
    return Math.max(least, Math.min(clock.next() - clock.now(), (until - performance.now()) * 1e6));
  }

  /** How many milliseconds a halted processor has to wait for the next timer. */
  #waitOf(): number {
    const { clock, interrupts } = this.pc;
    if (interrupts.pending(0)) return 0;
    const interruptible = this.cpu.interruptible ?? (this.cpu.state.getUint32(cpuState.fields.rflags.offset, true) & IF) !== 0;
    if (!interruptible) {
      this.#finish({ kind: 'halt' });
      return 0;
    }
    const next = clock.next();
    return next === Infinity ? Infinity : Math.max(0, (next - clock.now()) / 1e6);
  }

  #served(exit: Exit): void {
    if (exit.kind === 'shutdown') this.#finish({ kind: 'shutdown' });
    else if (exit.kind === 'error') this.#finish({ kind: 'error', message: exit.message });
  }

  /** Lets others have the thread; until something wakes it, at the latest after some milliseconds. */
  async #pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return othersTurn();
    await new Promise<void>((resolve) => {
      const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => undefined;
  }

  /** Something has come from outside: a halted processor looks again. */
  wake(): void {
    this.#wake();
  }

  /** Sends bytes to a serial port. */
  send(bytes: Uint8Array, port = 0): void {
    this.pc.serial[port]?.input.send(bytes);
    this.wake();
  }

  #nmi(): void {
    this.cpu.state.setUint32(cpuState.fields.nmiPending.offset, 1, true);
    this.cpu.kick();
    this.wake();
  }

  #finish(end: MachineEnd): void {
    this.#end ??= end;
    this.cpu?.kick();
    this.wake();
  }

  close(): void {
    this.#processors.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
