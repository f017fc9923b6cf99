import { closeSync, openSync, writeSync } from 'node:fs';
import type { HandlerEntry } from '../../cpu/system/processor.ts';
import type { Engine } from '../../engine/engine.ts';
import { DelosError } from '../../lib/errors.ts';
import { exitText } from '../../machine/trace/exit.ts';
import type { TracedInstruction } from '../../machine/trace/stepped-cpu.ts';
import { tracedEngine, type TraceSinks } from '../../machine/trace/traced.ts';

/** What `--trace` may be. */
export const traceNames = ['exits', 'instructions', 'interrupts'] as const;
type TraceName = (typeof traceNames)[number];

/** Written at once, in characters. */
const CHUNK = 1 << 14;
const stderr = 2;

/** Lines of `--trace`: on stderr, or in a file. */
export class TraceFile implements Disposable {
  readonly #fd: number;
  readonly #begun = performance.now();
  readonly #isLive: boolean;
  /** Nobody wakes who waits at it: only time. */
  readonly #clock = new Int32Array(new SharedArrayBuffer(4));
  #text = '';

  /** @throws DelosError bad-usage for a file that can't be written */
  constructor(file: string | undefined) {
    this.#fd = file === undefined ? stderr : openFor(file);
    this.#isLive = file === undefined && process.stderr.isTTY;
  }

  /** One of an event that has its time. */
  timed(text: string): void {
    this.line(`${((performance.now() - this.#begun) / 1000).toFixed(6).padStart(12)}  ${text}`);
  }

  line(text: string): void {
    this.#text += `${text}\n`;
    if (this.#isLive || this.#text.length >= CHUNK) this.flush();
  }

  flush(): void {
    for (let rest = Buffer.from(this.#text); rest.length > 0;) rest = rest.subarray(this.#written(rest));
    this.#text = '';
  }

  /** At once, so that all is told of a guest that brings this process to its end; the guest waits for whoever reads. */
  #written(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Whoever reads has read enough.
      if (code === 'EPIPE') return bytes.length;
      if (code !== 'EAGAIN') throw new DelosError('io', `the trace can't be written: ${(error as Error).message}`, { cause: error });
      Atomics.wait(this.#clock, 0, 0, 1);
      return 0;
    }
  }

  [Symbol.dispose](): void {
    this.flush();
    if (this.#fd !== stderr) closeSync(this.#fd);
  }
}

function openFor(file: string): number {
  try {
    return openSync(file, 'w');
  } catch (error) {
    throw new DelosError('bad-usage', `--trace-file: ${file} can't be written: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The engine with what `--trace` asks for; the engine itself when that is nothing.
 * @throws DelosError bad-usage for another name; unsupported for what this engine does not tell
 */
export function tracedBy(engine: Engine, asked: readonly string[], file: TraceFile): Engine {
  const names = asked.flatMap((each) => each.split(','));
  const unknown = names.find((name) => !(traceNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw new DelosError('bad-usage', `--trace: there is no trace of ${unknown}, only of ${traceNames.join(', ')}`);
  if (engine.name === 'kvm' && names.includes('interrupts')) {
    throw new DelosError('unsupported', '--trace interrupts: KVM enters the guest\'s handlers without telling; --engine interpreter does');
  }
  return names.length === 0 ? engine : tracedEngine(engine, sinksOf(names as TraceName[], file));
}

function sinksOf(names: readonly TraceName[], file: TraceFile): TraceSinks {
  return {
    ...(names.includes('exits') && { exit: (exit) => file.timed(exitText(exit)) }),
    ...(names.includes('interrupts') && { interrupt: (entry) => file.timed(entryText(entry)) }),
    ...(names.includes('instructions') && { instruction: (step) => file.line(stepText(step)) }),
  };
}

const hex = (value: number | bigint, digits = 0): string => value.toString(16).padStart(digits, '0');

const exceptions: Readonly<Record<number, string>> = {
  0: '#DE', 1: '#DB', 2: 'NMI', 3: '#BP', 4: '#OF', 5: '#BR', 6: '#UD', 7: '#NM', 8: '#DF', 10: '#TS', 11: '#NP', 12: '#SS', 13: '#GP', 14: '#PF', 16: '#MF', 17: '#AC', 19: '#XM',
};

/** `exception 0xe #PF error 0x2 cr2 0x1000 from 10:ffffffff81000010 to 10:ffffffff81e00a30`. */
function entryText({ vector, errorCode, cause, from, to, cr2 }: HandlerEntry): string {
  const name = cause === 'software' ? undefined : exceptions[vector];
  const details = [
    ...(name === undefined ? [] : [name]), ...(errorCode === undefined ? [] : [`error 0x${hex(errorCode)}`]), ...(cr2 === undefined ? [] : [`cr2 0x${hex(cr2)}`]),
  ];
  return [cause, `0x${hex(vector)}`, ...details, `from ${hex(from.selector)}:${hex(from.rip)}`, `to ${hex(to.selector)}:${hex(to.rip)}`].join(' ');
}

/** Addresses are linear ones. */
function stepText({ address, bytes, text, changed }: TracedInstruction): string {
  const registers = changed.map(([name, value]) => `${name}=0x${hex(value)}`).join(' ');
  const line = `${hex(address, 8)}:  ${Buffer.from(bytes).toString('hex').padEnd(22)} ${text}`;
  return registers === '' ? line : `${line.padEnd(80)} ; ${registers}`;
}
