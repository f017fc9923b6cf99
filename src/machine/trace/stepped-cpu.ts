import { disassemble } from '../../cpu/disassemble/disassemble.ts';
import { cpuState, generalRegisters, type GeneralRegister } from '../../cpu/state.ts';
import type { Cpu, Exit } from '../../engine/engine.ts';
import type { GuestMemory } from '../../engine/memory.ts';
import { CpuBeside } from './beside.ts';
import { CodeReader, type GuestCode } from './guest-code.ts';

/** An instruction that has been run, or that has faulted. */
export interface TracedInstruction {
  /** Linear. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** General registers that are others than before it. */
  readonly changed: readonly (readonly [GeneralRegister, bigint])[];
}

export interface Stepping {
  readonly memory: GuestMemory;
  /** Interrupts that have been brought in so far. */
  readonly taken: { readonly count: number };
  sink(step: TracedInstruction): void;
}

/** Between two looks of the machine at its timers. A step takes some microseconds, on KVM some hundred. */
const mostSteps = 200;
const { activity } = cpuState.fields;

/** Runs one instruction at a time and tells each; each round of a repeated one, as a debugger has it. */
export class SteppedCpu extends CpuBeside {
  readonly #stepping: Stepping;
  readonly #code: CodeReader;
  #kicked = false;
  readonly #known = new BigUint64Array(generalRegisters.length);

  constructor(inner: Cpu, stepping: Stepping) {
    super(inner);
    this.#stepping = stepping;
    this.#code = new CodeReader(stepping.memory, inner.state);
  }

  override run(instructions = mostSteps): Exit {
    for (let left = Math.min(instructions, mostSteps); left > 0 && !this.#kicked; left--) {
      const exit = this.#step();
      if (exit.kind !== 'budget') return exit;
    }
    const kind = this.#kicked ? 'kicked' : 'budget';
    this.#kicked = false;
    return { kind };
  }

  /** A step on KVM may have its end before it sees this. */
  override kick(): void {
    this.#kicked = true;
    super.kick();
  }

  #step(): Exit {
    const { inner } = this;
    if (inner.state.getUint32(activity.offset, true) !== 0) return inner.run(1);
    const code = this.#code.read();
    const before = this.#stepping.taken.count;
    this.#changed();
    const exit = inner.run(1);
    // An interrupt came first: what was next has not been run.
    if (this.#stepping.taken.count === before) this.#tell(code);
    return exit;
  }

  #tell({ address, bytes, codeSize }: GuestCode): void {
    const { length, text } = bytes.length === 0 ? { length: 0, text: '(no memory)' } : disassemble(bytes, address, codeSize);
    this.#stepping.sink({ address, bytes: bytes.subarray(0, length), text, changed: this.#changed() });
  }

  /** Since this was asked. */
  #changed(): (readonly [GeneralRegister, bigint])[] {
    const { state } = this.inner;
    const changed: (readonly [GeneralRegister, bigint])[] = [];
    for (const [at, name] of generalRegisters.entries()) {
      const value = state.getBigUint64(cpuState.fields[name].offset, true);
      if (value !== this.#known[at]) changed.push([name, value]);
      this.#known[at] = value;
    }
    return changed;
  }
}
