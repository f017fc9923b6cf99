/** The software processor as an engine. Works in a browser: nothing of Node here. */

import { Interpreter } from '../cpu/interpreter/interpreter.ts';
import { RESERVED } from '../cpu/layout.ts';
import type { Outside } from '../cpu/system/processor.ts';
import type { Cpu, CpuObserver, Engine, EngineOptions, Exit, LocalDevices, Processors } from './engine.ts';

export interface InterpreterSettings {
  /** Whether hot loops are translated to functions of their own; they are, when it is left out. */
  readonly regions?: boolean;
}

/** @param float build/float.wasm */
export function createInterpreter(float: Uint8Array, { regions = true }: InterpreterSettings = {}): Engine {
  return {
    name: 'interpreter',
    available: () => true,
    open(options) {
      if (options.cpus !== 1) throw new RangeError(`the interpreter has one processor, not ${options.cpus}`);
      return new InterpreterProcessors(options, float, regions);
    },
  };
}

/** Bytes in front of the guest's memory that it needs (`reserved` of createGuestMemory). */
export const interpreterReserved = RESERVED;

class InterpreterProcessors implements Processors {
  readonly cpus: readonly Cpu[];

  constructor(options: EngineOptions, float: Uint8Array, regions: boolean) {
    this.cpus = [new InterpreterCpu(options, float, regions)];
  }

  close(): void {
    // Its memory is the garbage collector's.
  }
}

class InterpreterCpu implements Cpu {
  readonly #interpreter: Interpreter;

  constructor(options: EngineOptions, float: Uint8Array, regions: boolean) {
    const { memory, interrupts } = options;
    const pages = memory.memory.buffer.byteLength / 65536;
    this.#interpreter = new Interpreter({
      memory: memory.memory,
      limits: { initial: pages, maximum: pages, shared: !(memory.memory.buffer instanceof ArrayBuffer) },
      regions: memory.regions,
      outside: outsideOf(options),
      float,
      translates: regions,
      interrupts: interrupts && { pending: () => interrupts.pending(0), acknowledge: () => interrupts.acknowledge(0) },
    });
  }

  get state(): DataView {
    return this.#interpreter.state;
  }

  get observer(): CpuObserver | undefined {
    return this.#interpreter.witness;
  }

  set observer(observer: CpuObserver | undefined) {
    this.#interpreter.witness = observer;
  }

  get instructions(): number {
    return this.#interpreter.instructions;
  }

  run(instructions?: number): Exit {
    return { kind: this.#interpreter.run(instructions) };
  }

  kick(): void {
    this.#interpreter.kick();
  }

  /** An interrupt is taken as a whole. */
  settle(): undefined {
    return undefined;
  }

  otherMsrs(): ReadonlyMap<number, bigint> {
    return this.#interpreter.otherMsrs;
  }

  setOtherMsrs(values: ReadonlyMap<number, bigint>): void {
    for (const [number, value] of values) this.#interpreter.otherMsrs.set(number, value);
  }
}

/** A processor alone: no time passes for it, and it has no local APIC. */
const alone: LocalDevices = { timestamp: () => 0n, readMsr: () => undefined, writeMsr: () => false, taskPriority: () => 0, setTaskPriority: () => undefined };

function outsideOf({ bus, cpuid, local = alone }: EngineOptions): Outside {
  return {
    readPort: (port, bytes) => bus.ports.read(port, bytes),
    writePort: (port, bytes, value) => bus.ports.write(port, bytes, value),
    readMemory: (address, bytes) => bus.memory.read(address, bytes),
    writeMemory: (address, bytes, value) => bus.memory.write(address, bytes, value),
    cpuid,
    timestamp: () => local.timestamp(),
    readMsr: (number) => local.readMsr(0, number),
    writeMsr: (number, value) => local.writeMsr(0, number, value),
    get taskPriority() {
      return local.taskPriority(0);
    },
    set taskPriority(priority) {
      local.setTaskPriority(0, priority);
    },
  };
}
