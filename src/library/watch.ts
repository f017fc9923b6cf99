/** Ends something when time is up, when a signal is aborted, or when it is told to; whichever comes first, and once. */
export class Watch implements Disposable {
  readonly #kill: () => Promise<void>;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #failure = Promise.withResolvers<never>();
  readonly #stopping = Promise.withResolvers<void>();
  #isStopped = false;
  #isTimedOut = false;

  /** @param kill is called at most once */
  constructor(timeoutMs: number | undefined, signal: AbortSignal | undefined, kill: () => Promise<void>) {
    this.#kill = kill;
    this.#signal = signal;
    this.#failure.promise.catch(() => undefined);
    signal?.addEventListener('abort', this.stop, { once: true });
    if (timeoutMs !== undefined) this.#timer = setTimeout(this.#onTime, timeoutMs);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Settles when it has been told to end it. */
  get stopped(): Promise<void> {
    return this.#stopping.promise;
  }

  get isTimedOut(): boolean {
    return this.#isTimedOut;
  }

  /** What is awaited, unless it had to be killed and could not be. */
  during<T>(ending: Promise<T>): Promise<T> {
    return Promise.race([ending, this.#failure.promise]);
  }

  readonly stop = (): void => {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopping.resolve();
    this.#kill().catch(this.#failure.reject);
  };

  readonly #onTime = (): void => {
    this.#isTimedOut = !this.#isStopped;
    this.stop();
  };

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.stop);
  }
}
