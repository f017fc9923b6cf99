import { CLOCK_MONOTONIC } from '../../abi/process.ts';
import { SIGEV_THREAD_ID } from '../../abi/signal-event.ts';
import { syscall } from '../../sys/syscall.ts';
import { kickSignal } from './kick.ts';

/** Kicks the thread that has made it out of KVM_RUN. */
export class Alarm {
  readonly #timer: number;
  /** struct itimerspec: the interval, then the first time. */
  readonly #time = new BigUint64Array(4);

  constructor() {
    // struct sigevent: sigev_value, sigev_signo, sigev_notify, sigev_notify_thread_id.
    const event = new Int32Array(16);
    event.set([kickSignal, SIGEV_THREAD_ID, syscall('gettid')], 2);
    const timer = new Int32Array(1);
    syscall('timer_create', CLOCK_MONOTONIC, event, timer);
    this.#timer = timer[0] as number;
  }

  /** Once after so many nanoseconds; 0: no more. One that comes before KVM_RUN waits for it. */
  set(nanoseconds: number): void {
    const seconds = Math.floor(nanoseconds / 1e9);
    this.#time[2] = BigInt(seconds);
    this.#time[3] = BigInt(Math.floor(nanoseconds - seconds * 1e9));
    syscall('timer_settime', this.#timer, 0, this.#time, 0);
  }

  close(): void {
    syscall('timer_delete', this.#timer);
  }
}
