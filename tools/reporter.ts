import type { EventData } from 'node:test';
import { inspect } from 'node:util';
import { relative } from 'node:path';

/** One event of node:test, as far as the report uses it. */
export type TestEvent = { type: string; data: unknown };

type Ended = EventData.TestPass | EventData.TestFail;

/** Files that the report ends with: those that took longest, each more than a second. */
const slowest = 15;

/** Dots on a line. */
const column = 100;

export interface Totals {
  tests: number;
  suites: number;
  pass: number;
  fail: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** Turns the events of one or several runs into text: a dot for each test, failures in full, then totals and everything that was skipped. */
export class Report {
  readonly totals: Totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  readonly #root: string;
  readonly #path: string[] = [];
  readonly #skipped: string[] = [];
  readonly #todo: string[] = [];
  readonly #unsteady: string[] = [];
  readonly #output = new Map<string, string>();
  readonly #milliseconds = new Map<string, number>();
  #dots = 0;

  /** @param root the folder that file names are shown relative to */
  constructor(root: string) {
    this.#root = root;
  }

  /** Whether everything ran well; a skip or a todo without a reason is not well. */
  get ok(): boolean {
    return this.totals.fail + this.totals.cancelled === 0 && ![...this.#skipped, ...this.#todo].some((line) => line.endsWith(noReason));
  }

  /** Takes the next event; gives the text to print at once, often none. */
  take(event: TestEvent): string {
    switch (event.type) {
      case 'test:start':
        this.#start(event.data as EventData.TestStart);
        return '';
      case 'test:pass':
        return this.#end(event.data as EventData.TestPass);
      case 'test:fail':
        return this.#end(event.data as EventData.TestFail);
      case 'test:diagnostic':
        return notice(event.data as EventData.TestDiagnostic);
      case 'test:stdout':
      case 'test:stderr':
        this.#keep(event.data as EventData.TestStdout);
        return '';
      default:
        return '';
    }
  }

  /** Takes all events of a file that is going to be run again: its failures are shown and listed, and nothing of it is counted. */
  failedOnce(events: readonly TestEvent[]): string {
    const first = new Report(this.#root);
    const shown = events.map((event) => first.take(event)).filter((text) => text.includes('FAIL '));
    this.#unsteady.push(...shown.map((text) => /FAIL (.*)/.exec(text)?.[1] ?? text));
    this.#dots = 0;
    return `${shown.join('')}its file runs again at the end, alone\n`;
  }

  /** The closing lines: totals as node:test prints them, the slowest files, and every skipped test with its reason. */
  close(durationMs: number): string {
    const totals = { ...this.totals, duration_ms: Math.round(durationMs) };
    const slow = [...this.#milliseconds].sort((a, b) => b[1] - a[1]).slice(0, slowest);
    return [
      '',
      ...slow.filter(([, ms]) => ms > 1000).map(([file, ms]) => `slow: ${file}: ${(ms / 1000).toFixed(1)} s`),
      ...Object.entries(totals).map(([name, value]) => `ℹ ${name} ${value}`),
      ...this.#unsteady.map((line) => `unsteady, run again alone: ${line}`),
      ...this.#todo.map((line) => `todo: ${line}`),
      ...this.#skipped.map((line) => `skipped: ${line}`),
      '',
    ].join('\n');
  }

  #start({ name, nesting }: EventData.TestStart): void {
    this.#path.length = nesting;
    this.#path.push(name);
  }

  #keep({ file, message }: EventData.TestStdout): void {
    if (file !== undefined) this.#output.set(file, ((this.#output.get(file) ?? '') + message).slice(-8192));
  }

  #end(data: Ended): string {
    const suite = data.details.type === 'suite';
    if (suite) this.totals.suites += 1;
    const remarkable = data.skip !== undefined || data.todo !== undefined || failureType(data) !== undefined;
    if (!suite || (remarkable && failureType(data) !== 'subtestsFailed')) this.totals.tests += 1;
    if (data.nesting === 0) this.#addTime(data);
    const name = this.#name(data);
    if (data.skip !== undefined) return this.#count('skipped', this.#skipped, name, data.skip);
    if (data.todo !== undefined) return this.#count('todo', this.#todo, name, data.todo);
    if (failureType(data) !== undefined) return this.#fail(data as EventData.TestFail, name, suite);
    if (!suite) this.totals.pass += 1;
    return suite ? '' : this.#dot('.');
  }

  #addTime(data: Ended): void {
    const file = this.#file(data);
    this.#milliseconds.set(file, (this.#milliseconds.get(file) ?? 0) + data.details.duration_ms);
  }

  #count(kind: 'skipped' | 'todo', list: string[], name: string, reason: string | boolean): string {
    this.totals[kind] += 1;
    list.push(`${name}: ${typeof reason === 'string' && reason !== '' ? reason : noReason}`);
    return this.#dot(kind === 'skipped' ? 's' : 't');
  }

  #fail(data: EventData.TestFail, name: string, suite: boolean): string {
    const { error } = data.details;
    const type = failureType(data);
    // A suite fails with its tests, which have been shown already.
    if (type === 'subtestsFailed') {
      if (!suite) this.totals.fail += 1;
      return '';
    }
    this.totals[type === 'cancelledByParent' || type === 'testTimeoutFailure' ? 'cancelled' : 'fail'] += 1;
    const cause = error.cause ?? error;
    const text = cause instanceof Error ? ownStack(cause) : typeof cause === 'string' ? cause : inspect(cause);
    this.#dots = 0;
    return `\n${[`FAIL ${name}`, ...indent(text), ...this.#printed(data.file)].join('\n')}\n`;
  }

  /** What a file has printed since this was last asked. */
  #printed(file = ''): string[] {
    const text = this.#output.get(file) ?? '';
    this.#output.delete(file);
    return text === '' ? [] : ['its file has printed:', ...indent(text)];
  }

  #name(data: Ended): string {
    const own = data.name === data.file ? 'the file itself' : data.name;
    return `${this.#file(data)}: ${[...this.#path.slice(0, data.nesting), own].join(' > ')}`;
  }

  #file({ file }: Ended): string {
    return file === undefined ? 'a test without a file' : relative(this.#root, file);
  }

  #dot(mark: string): string {
    this.#dots += 1;
    return this.#dots % column === 0 ? `${mark}\n` : mark;
  }
}

/** How node:test classes a failure; undefined for a test that passed. */
/** What node:test says at the end of a file; the rest are words of tests. */
const summary = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

function notice({ message }: EventData.TestDiagnostic): string {
  return summary.test(message) ? '' : `\n${message}\n`;
}

function failureType(data: Ended): string | undefined {
  return 'error' in data.details ? ((data.details.error as { failureType?: string }).failureType ?? 'unknown') : undefined;
}

const noReason = 'no reason given, which counts as a failure';

/** A stack without the frames of Node's own test runner. */
function ownStack(error: Error): string {
  return (error.stack ?? error.message).replace(/\n\s+at [^\n]*\(?node:(?:internal|async_hooks)[^\n]*|\n\s+at [^\n]*<anonymous>\)$/g, '');
}

function indent(text: string): string[] {
  return text.trimEnd().split('\n').map((line) => `  ${line}`);
}
