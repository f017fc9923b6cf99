import { SIGEV_THREAD_ID } from '../../src/abi/signal.ts';
import { kickSignal } from '../../src/engine/kvm/kick.ts';
import { syscall } from '../../src/sys/syscall.ts';

const CLOCK_MONOTONIC = 1;

/** Kicks this thread out of KVM_RUN again and again. */
export class Alarm {
  readonly #timer: number;

  constructor() {
    const event = new Int32Array(16);
    // struct sigevent: sigev_value, sigev_signo, sigev_notify, sigev_notify_thread_id.
    event.set([kickSignal, SIGEV_THREAD_ID, syscall('gettid')], 2);
    const timer = new Int32Array(1);
    syscall('timer_create', CLOCK_MONOTONIC, event, timer);
    this.#timer = timer[0] as number;
  }

  /** Every so many milliseconds from now on; 0: no more. */
  set(milliseconds: number): void {
    const period = [0n, BigInt(milliseconds) * 1000000n];
    syscall('timer_settime', this.#timer, 0, new BigUint64Array([...period, ...period]), 0);
  }

  close(): void {
    syscall('timer_delete', this.#timer);
  }
}
