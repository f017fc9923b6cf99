import type { Cpu, CpuObserver, Exit } from '../../engine/engine.ts';

/** A processor as another one shows it. Who changes one thing of it extends this. */
export class CpuBeside implements Cpu {
  protected readonly inner: Cpu;

  constructor(inner: Cpu) {
    this.inner = inner;
  }

  get state(): DataView {
    return this.inner.state;
  }

  get observer(): CpuObserver | undefined {
    return this.inner.observer;
  }

  set observer(observer: CpuObserver | undefined) {
    this.inner.observer = observer;
  }

  get instructions(): number | undefined {
    return this.inner.instructions;
  }

  run(instructions?: number): Exit {
    return this.inner.run(instructions);
  }

  kick(): void {
    this.inner.kick();
  }

  settle(): Exit | undefined {
    return this.inner.settle();
  }

  otherMsrs(): ReadonlyMap<number, bigint> {
    return this.inner.otherMsrs();
  }

  setOtherMsrs(values: ReadonlyMap<number, bigint>): void {
    this.inner.setOtherMsrs(values);
  }
}
