import fs from 'node:fs';
import { DelosError } from '../../lib/errors.ts';
import { writeText } from './output.ts';

export type LogFormat = 'text' | 'json';
export type LogLevel = 'debug' | 'warning' | 'error';

export interface LogOptions {
  /** Absolute. Absent: stderr. */
  readonly file?: string | undefined;
  readonly format: LogFormat;
  /** Whether debug lines are written at all. */
  readonly debug: boolean;
}

/** What a command has to say besides its output, a line each, in the two forms that engines parse: logrus's text and JSON. */
export class Log implements Disposable {
  readonly #format: LogFormat;
  readonly #debug: boolean;
  readonly #fd: number;

  /** @throws DelosError io when the file cannot be opened */
  constructor({ file, format, debug }: LogOptions) {
    this.#format = format;
    this.#debug = debug;
    this.#fd = file === undefined ? 2 : openLog(file);
  }

  debug(message: string): void {
    if (this.#debug) this.#write('debug', message);
  }

  warn(message: string): void {
    this.#write('warning', message);
  }

  /** The error that ends a command. Where the log is a file, people see it on stderr as well. */
  error(message: string): void {
    this.#write('error', message);
    if (this.#fd !== 2) tryWrite(2, `${message}\n`);
  }

  #write(level: LogLevel, message: string): void {
    tryWrite(this.#fd, logLine(this.#format, level, message, new Date()));
  }

  [Symbol.dispose](): void {
    if (this.#fd !== 2) fs.closeSync(this.#fd);
  }
}

/** One line with its newline. */
export function logLine(format: LogFormat, level: LogLevel, message: string, at: Date): string {
  const time = `${at.toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length)}Z`;
  if (format === 'json') return `${JSON.stringify({ level, msg: message, time })}\n`;
  return `time=${JSON.stringify(time)} level=${level} msg=${/^[\w./@^+-]+$/.test(message) ? message : JSON.stringify(message)}\n`;
}

function openLog(file: string): number {
  try {
    return fs.openSync(file, 'a', 0o644);
  } catch (cause) {
    throw new DelosError('io', `--log: ${file} cannot be opened: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** A full disk or a closed stderr must not change what a command does. */
function tryWrite(fd: number, line: string): void {
  try {
    writeText(fd, line);
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
  }
}
