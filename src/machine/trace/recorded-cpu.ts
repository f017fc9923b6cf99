import { cpuState } from '../../cpu/state.ts';
import type { Cpu, Exit, InterruptSource } from '../../engine/engine.ts';
import { CpuBeside } from './beside.ts';
import { nanoseconds, type ExitRecorder } from './recorder.ts';

/** Records what is seen of a processor only when it stops: where the engine does not say why, halts and the end; on KVM, that it was called away. */
export class RecordedCpu extends CpuBeside {
  readonly #recorder: ExitRecorder;
  readonly #isKvm: boolean;
  readonly #interrupts: InterruptSource | undefined;
  #haltedAt: number | undefined;

  constructor(inner: Cpu, recorder: ExitRecorder, isKvm: boolean, interrupts: InterruptSource | undefined) {
    super(inner);
    this.#recorder = recorder;
    this.#isKvm = isKvm;
    this.#interrupts = interrupts;
  }

  override run(instructions?: number): Exit {
    if (this.#haltedAt !== undefined && this.#wakes()) this.#wake(this.#haltedAt);
    const exit = this.inner.run(instructions);
    if (this.#isKvm) {
      // A step is the tracer's own.
      if (instructions !== 1 && (exit.kind === 'budget' || exit.kind === 'kicked')) this.#recorder.left('KVM_EXIT_INTR');
    } else if (exit.kind === 'halt') {
      this.#haltedAt ??= nanoseconds();
    } else if (exit.kind === 'shutdown') {
      this.#recorder.asked('Shutdown', undefined, {}, 0);
    }
    return exit;
  }

  #wakes(): boolean {
    return this.#interrupts?.pending(0) === true || this.inner.state.getUint32(cpuState.fields.nmiPending.offset, true) !== 0;
  }

  #wake(since: number): void {
    this.#recorder.asked('Hlt', undefined, {}, nanoseconds() - since);
    this.#haltedAt = undefined;
  }

  /** A halt that nothing has ended. */
  finish(): void {
    if (this.#haltedAt !== undefined) this.#wake(this.#haltedAt);
  }
}
