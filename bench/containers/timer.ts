import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';

/** What one or many runs of a program took. */
export interface Timing {
  /** From the first start to the last end. */
  readonly ms: number;
  /** The largest process among the program and what it waited for. */
  readonly peakKb: number;
}

/** A small program (timer.c) that starts others and measures them; its own part in a measurement is below 0.1 ms. */
export class Timer implements Disposable {
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  /** Holds the program itself and what the measured programs write to stderr. */
  readonly #folder: string;
  readonly #errors: string;

  constructor() {
    this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-bench-'));
    const program = path.join(this.#folder, 'timer');
    execFileSync('cc', ['-O2', '-static', '-o', program, path.join(import.meta.dirname, 'timer.c')]);
    this.#errors = path.join(this.#folder, 'stderr');
    const errors = fs.openSync(this.#errors, 'a');
    this.#process = spawn(program, [], { stdio: ['pipe', 'pipe', errors] });
    fs.closeSync(errors);
    // When it has ended, the next answer says so.
    this.#process.stdin?.on('error', () => undefined);
    const { stdout } = this.#process;
    if (!stdout) throw new Error('assertion: the timer has a stdout');
    this.#answers = readline.createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /**
   * Runs a program `total` times, `parallel` at a time; `{}` in an argument is the number of the run.
   * @throws Error with what the program said, when one of the runs did not exit with 0
   */
  async run(argv: readonly string[], { total = 1, parallel = 1 } = {}): Promise<Timing> {
    this.#process.stdin?.write(`${[total, parallel, ...argv].join('\t')}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the timer has ended');
    const [ns = 0, peakKb = 0, failed = 0] = value.split(' ').map(Number);
    if (failed > 0) throw new Error(`${argv.join(' ')}: ${failed} of ${total} failed: ${fs.readFileSync(this.#errors, 'utf8').trim().split('\n').slice(-3).join(' | ')}`);
    return { ms: ns / 1e6, peakKb };
  }

  [Symbol.dispose](): void {
    this.#process.kill();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}
