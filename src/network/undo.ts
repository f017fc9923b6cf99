/** What takes back what was made, last thing first. */
export class Undo {
  readonly #steps: (() => void)[] = [];

  push(step: () => void): void {
    this.#steps.push(step);
  }

  /** Every step is tried; the error that led here is what counts. */
  run(): void {
    for (const step of this.#steps.toReversed()) {
      try {
        step();
      } catch {
        // What could not be taken back has a lease or an alias by which sweep() finds it.
      }
    }
  }
}
