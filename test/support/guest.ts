import fs from 'node:fs';
import { realModeAt, type Registers } from '../../src/boot/start-state.ts';
import { cpuState } from '../../src/cpu/state.ts';
import { createBus, type Bus } from '../../src/device/bus.ts';
import type { Cpu, Engine, EngineOptions, Exit, InterruptSource, LocalDevices, Processors } from '../../src/engine/engine.ts';
import { createInterpreter, interpreterReserved } from '../../src/engine/interpreter.ts';
import { kvm, KvmProcessors } from '../../src/engine/kvm.ts';
import { everything, supportedCpuid } from '../../src/engine/kvm/cpuid.ts';
import { openKvm } from '../../src/engine/kvm/vm.ts';
import { createGuestMemory, type GuestMemory, type WantedRegion } from '../../src/engine/memory.ts';
import { floatBytes } from './float-module.ts';
import { get, put } from '../../src/lib/layout.ts';

/** For a test's `skip`: why KVM can't be used, or false. */
export const noKvm = kvm.available() === true ? false : String(kvm.available());

/** Every engine that a guest has to be the same on; each with a test's `skip`. */
export const engines: readonly { engine: Engine; skip: string | false }[] = [
  { engine: kvm, skip: noKvm },
  { engine: createInterpreter(floatBytes), skip: false },
];

export interface GuestOptions {
  /** Where its code is, below 64 KiB; it starts there in real mode. */
  readonly at?: number;
  readonly registers?: Registers;
  readonly regions?: readonly WantedRegion[];
  readonly interrupts?: InterruptSource | 'kernel';
  readonly local?: LocalDevices;
  /** KVM when left out. */
  readonly engine?: Engine;
  /** CPUID with all that KVM can give; without, all zeros. */
  readonly allFeatures?: boolean;
}

/** No device interrupts. */
export const quiet: InterruptSource = { pending: () => false, acknowledge: () => 0 };

function allOfKvm(): EngineOptions['cpuid'] {
  const device = openKvm();
  try {
    return everything(supportedCpuid(device));
  } finally {
    fs.closeSync(device);
  }
}

/** A machine of one processor with some code and a bus; what it writes to the serial port's data register is `output`. */
export class TestGuest implements Disposable {
  readonly memory: GuestMemory;
  readonly bus: Bus = createBus();
  readonly #processors: Processors;
  /** Numbers of KVM's exits, in order; empty on another engine. */
  readonly exits: number[] = [];
  output = '';

  constructor(code: readonly number[] | Uint8Array, options: GuestOptions = {}) {
    const { at = 0x1000, registers = {}, regions = [{ guestAddress: 0, size: 0x100000 }], engine = kvm } = options;
    this.memory = createGuestMemory(regions, interpreterReserved);
    this.memory.bytes(at, code.length).set(code);
    this.bus.ports.attach(0x3f8, 1, { name: 'output', read: () => 0, write: (_offset, _size, value) => void (this.output += String.fromCodePoint(value)) });
    const interrupts = options.interrupts === 'kernel' ? undefined : (options.interrupts ?? quiet);
    const cpuid = options.allFeatures === true ? allOfKvm() : () => [0, 0, 0, 0] as const;
    this.#processors = engine.open({ memory: this.memory, bus: this.bus, interrupts, cpus: 1, cpuid, ...(options.local && { local: options.local }) });
    this.load(realModeAt(at, registers));
    if (engine === kvm) for (const cpu of this.processors.cpus) cpu.trace = (_cpu, reason) => this.exits.push(reason);
  }

  /** On KVM only. */
  get processors(): KvmProcessors {
    if (!(this.#processors instanceof KvmProcessors)) throw new Error('assertion: this guest is not on KVM');
    return this.#processors;
  }

  get cpu(): Cpu {
    return this.#processors.cpus[0] as Cpu;
  }

  load(state: Uint8Array): void {
    new Uint8Array(this.cpu.state.buffer, this.cpu.state.byteOffset, cpuState.size).set(state);
  }

  /** One field of the processor's state. */
  get(name: keyof typeof cpuState.fields): number | bigint {
    return get(this.cpu.state, cpuState.fields[name].offset, cpuState.fields[name].type);
  }

  set(values: Registers): void {
    for (const [name, value] of Object.entries(values) as [keyof typeof cpuState.fields, number | bigint][]) {
      put(this.cpu.state, cpuState.fields[name].offset, cpuState.fields[name].type, value);
    }
  }

  run(instructions?: number): Exit {
    return this.cpu.run(instructions);
  }

  [Symbol.dispose](): void {
    this.#processors.close();
  }
}
