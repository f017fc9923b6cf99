import { softwareCpuid } from '../../cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../device/apic-timer.ts';
import type { Engine } from '../../engine/engine.ts';
import { DelosError } from '../../lib/errors.ts';
import { Machine, type MachineEnd as CoreEnd, type MachineOptions as CoreOptions, type MachineStart } from '../../machine/machine.ts';
import { PanicWatch } from '../../machine/panic-watch.ts';
import { stealthyCpuid } from '../../machine/stealth.ts';
import { readSnapshot, restore, snapshot, type ReadSnapshot } from '../../snapshot/snapshot.ts';
import { parseSize } from '../../vocabulary/units.ts';
import type { CommonOptions } from './options.ts';
import { SerialConsole } from './serial-console.ts';

/** How a machine has come to its end: a Linux that panics begins anew, if its command line says so (`panic=-1`). */
export type MachineEnd = CoreEnd | { readonly kind: 'panic'; readonly message: string };

const defaultMemory = 256 * 2 ** 20;
const bootSector = 0x7c00;

/** A computer with one processor and the devices of a PC. What is `Machine` to a program adds the engines that it can have. */
export abstract class VirtualMachine {
  /** What the guest says on its serial port. */
  readonly serial = new SerialConsole();
  /** What runs its processor. */
  readonly engine: Engine['name'];
  /** One sentence: why this engine. */
  readonly why: string;
  readonly #core: Machine;
  readonly #panic = new PanicWatch();
  readonly #stop = new AbortController();
  readonly #listener: ((bytes: Uint8Array) => void) | undefined;
  #said: number[] = [];
  #running: Promise<MachineEnd> | undefined;
  #closed = false;
  #paused = false;

  protected constructor(options: CommonOptions, engine: Engine, why: string) {
    demandOne(options);
    this.engine = engine.name;
    this.why = why;
    this.#listener = options.serial;
    const common = { engine, serial: [(byte: number) => this.#take(byte)] };
    this.#core = options.snapshot === undefined ? new Machine({ ...common, ...machineOf(options) }) : restore(saved(options.snapshot), common);
  }

  /** What does the work, until it is closed. @throws DelosError `wrong-state` from then on */
  protected get core(): Machine {
    if (this.#closed) throw new DelosError('wrong-state', 'the machine is closed');
    return this.#core;
  }

  /**
   * Lets it run until it ends, which is told and never thrown. It runs in turns of some milliseconds on the caller's thread; a program
   * that has other things to do gives it a Worker of its own. When it has ended, this gives the same end again.
   * @param options.signal aborted, it ends the machine: `stopped`
   * @throws DelosError `wrong-state` when it runs already, or is closed
   */
  async run({ signal }: { readonly signal?: AbortSignal } = {}): Promise<MachineEnd> {
    if (this.#running !== undefined) throw new DelosError('wrong-state', 'the machine runs already');
    const { core } = this;
    const stop = (): void => this.stop();
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop);
    try {
      this.#running = this.#untilEnd(core);
      return await this.#running;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#running = undefined;
      if (this.#closed) this.#core.close();
    }
  }

  /** Sends to the guest's serial port: a text in UTF-8, or bytes. The guest gets it as fast as it reads. */
  send(data: string | Uint8Array): void {
    if (!this.#closed) this.#core.send(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** `length` bytes of the guest's memory at a physical address, as a view. @throws RangeError where no memory is */
  bytes(address: number, length: number): Uint8Array {
    return this.#core.memory.bytes(address, length);
  }

  /** The guest stands still, and its time too, until {@link resume}; a `run` goes on waiting. */
  pause(): void {
    this.core.pause();
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.core.resume();
  }

  /**
   * All of it, processor, devices and memory, as bytes in parts: `new Blob([...machine.snapshot()])`. The guest stands still until the last part was
   * taken. A machine that is made of them, here or elsewhere and on whichever engine, goes on from there.
   * @throws DelosError `bad-machine` when its processor does not come to rest
   */
  *snapshot(): Generator<Uint8Array, void, undefined> {
    const pausedBefore = this.#paused;
    this.core.pause();
    try {
      yield* snapshot(this.core);
    } finally {
      if (!pausedBefore) this.#core.resume();
    }
  }

  /** Ends it, as if its plug were pulled. */
  stop(): void {
    this.#stop.abort();
  }

  /** Ends it and gives back what it holds; so does the end of a block with `using`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stop();
    this.serial.end();
    // What runs is let go when it has stopped.
    if (this.#running === undefined) this.#core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #untilEnd(core: Machine): Promise<MachineEnd> {
    const end = await core.run(this.#stop.signal);
    this.#flush();
    this.serial.end();
    const { message } = this.#panic;
    return end.kind === 'reset' && message !== undefined ? { kind: 'panic', message } : end;
  }

  /** In the middle of an instruction of the guest: what it says in one turn is told together behind it. */
  #take(byte: number): void {
    this.#panic.take(byte);
    if (this.#said.push(byte) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#said.length === 0) return;
    const bytes = Uint8Array.from(this.#said);
    this.#said = [];
    this.serial.take(bytes);
    this.#listener?.(bytes);
  }
}

/** Types say it, too, to who has types. */
function demandOne({ kernel, firmware, code, snapshot: saving }: CommonOptions): void {
  if ([kernel, firmware, code, saving].filter((one) => one !== undefined).length === 1) return;
  throw new DelosError('bad-machine', 'a machine starts with one of kernel, firmware, code and snapshot');
}

function saved(snapshot: Uint8Array | ReadSnapshot): ReadSnapshot {
  return 'state' in snapshot ? snapshot : readSnapshot(snapshot);
}

function machineOf(options: CommonOptions): Pick<CoreOptions, 'start' | 'memory' | 'cpuid'> {
  const { memory = defaultMemory, hypervisor = true } = options;
  const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor });
  return { start: startOf(options), memory: typeof memory === 'string' ? parseSize(memory) : memory, cpuid: hypervisor ? cpuid : stealthyCpuid(cpuid) };
}

function startOf({ kernel, initrd, commandLine, modules, firmware, code, address = bootSector }: CommonOptions): MachineStart {
  if (firmware !== undefined) return { kind: 'firmware', image: firmware };
  if (code !== undefined) return { kind: 'flat', code, address };
  return {
    kind: 'kernel', kernel: kernel as Uint8Array, ...(initrd && { initrd }), ...(commandLine !== undefined && { commandLine }), ...(modules && { modules }),
  };
}
