import { DelosError } from '../lib/errors.ts';
import { readFlags } from './flag-reader.ts';
import { nearest } from './nearest.ts';

/** What a flag of each type gives: sizes in bytes, durations in milliseconds, cpus in processors. */
export interface FlagTypes {
  bool: boolean;
  string: string;
  list: string[];
  int: number;
  size: number;
  duration: number;
  cpus: number;
}

export type FlagType = keyof FlagTypes;

/** One row of a flag table: what it parses, and what help says about it. */
export interface Flag {
  /** Long name without dashes; also the key of its value. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Other long names, understood but not shown. */
  readonly aliases?: readonly string[];
  readonly type: FlagType;
  readonly help: string;
  /** The value when the flag is absent. Without one a bool is false, a list empty, the rest undefined. */
  readonly default?: boolean | string | number;
  /** The value when the flag is given without one (`--explain` for `--explain=text`); it then never takes the next word. */
  readonly bare?: string;
  /** A size that may also be -1, for "no limit". */
  readonly unlimited?: boolean;
  /** What help calls the value, if not by its type. */
  readonly value?: string;
  readonly hidden?: boolean;
}

type Given<F extends Flag> = F extends { type: 'bool' | 'list' } | { default: boolean | string | number }
  ? FlagTypes[F['type']]
  : FlagTypes[F['type']] | undefined;

/** The values a table of flags (declared `as const`) gives, by flag name. */
export type Values<F extends readonly Flag[]> = { [K in F[number] as K['name']]: Given<K> };

/** A parsed command line, as a command receives it. `positional` holds no flag and no `--` that ended the flags. */
export interface Invocation<F extends readonly Flag[] = readonly Flag[], G extends readonly Flag[] = readonly Flag[]> {
  readonly program: Program;
  readonly command: Command;
  readonly globals: Values<G>;
  readonly flags: Values<F>;
  readonly positional: readonly string[];
}

/** One row of a command table. A name of two words (`ns show`) makes its first word a group. */
export interface Command<F extends readonly Flag[] = readonly Flag[], G extends readonly Flag[] = readonly Flag[]> {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** After the program's name: `run [OPTIONS] IMAGE [COMMAND] [ARG...]`. */
  readonly usage: string;
  readonly flags: F;
  /** How many words are left after the flags; with `stopAtFirst` all words after the first of them are the container's. */
  readonly positional: { readonly min: number; readonly max: number; readonly stopAtFirst?: boolean };
  readonly hidden?: boolean;
  readonly examples?: readonly string[];
  /** Imports the command's module; `run` resolves to the exit code. */
  readonly load: () => Promise<{ run(invocation: Invocation<F, G>): Promise<number> }>;
}

/**
 * `pflag`: docker's. Letters cluster (`-it`), a letter's value may follow it (`-eA=1`).
 * `urfave`: runc's. One dash is as good as two (`-bundle dir`), letters do not cluster.
 */
export type Dialect = 'pflag' | 'urfave';

export interface Program {
  readonly name: string;
  readonly summary: string;
  readonly dialect: Dialect;
  /** Flags before the command. `--help` and `--version` are added to them. */
  readonly globals: readonly Flag[];
  readonly commands: readonly Command[];
}

/** What a command line asks for. In `help` the command or the group of commands is absent when the program is asked about. */
export type Parsed =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'help'; readonly command?: Command; readonly group?: string }
  | { readonly kind: 'version' };

/** Declares a command with the types of its own flags (a table of commands forgets them). */
export function command<const F extends readonly Flag[], const G extends readonly Flag[] = readonly Flag[]>(row: Command<F, G>): Command<F, G> {
  return row;
}

export const versionFlag = { name: 'version', short: 'v', type: 'bool', help: 'Print version information and quit' } as const;

/** Parses everything after the program's own name. Throws `bad-usage`: one line that ends by naming the help to read. */
export function parseCommandLine(program: Program, argv: readonly string[]): Parsed {
  const globals = inContext(program.name, () => readFlags(argv, [...program.globals, versionFlag], program.dialect, true));
  if (globals.help) return { kind: 'help' };
  if (globals.values['version'] === true) return { kind: 'version' };
  const words = globals.positional;
  if (words.length === 0) return { kind: 'help' };
  if (words[0] === 'help') {
    return words.length === 1 ? { kind: 'help' } : forHelp(findCommand(program, words.slice(1)));
  }
  const found = findCommand(program, words);
  if (found.kind === 'group') return forHelp(found);
  return readCommand(program, found.command, globals.values, words.slice(found.words));
}

type Found = { kind: 'command'; command: Command; words: number } | { kind: 'group'; group: string };

function forHelp(found: Found): Parsed {
  return found.kind === 'group' ? { kind: 'help', group: found.group } : { kind: 'help', command: found.command };
}

function readCommand(program: Program, row: Command, globals: Values<readonly Flag[]>, words: readonly string[]): Parsed {
  return inContext(`${program.name} ${row.name}`, () => {
    const reading = readFlags(words, row.flags, program.dialect, row.positional.stopAtFirst === true);
    if (reading.help) return { kind: 'help', command: row };
    checkCount(`${program.name} ${row.name}`, row.positional, reading.positional.length);
    return {
      kind: 'run',
      invocation: { program, command: row, globals, flags: reading.values, positional: reading.positional },
    };
  });
}

/** Adds to a usage error which help to read. */
function inContext<T>(subject: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DelosError) || error.code !== 'bad-usage') throw error;
    const stop = error.message.endsWith('?') ? '' : '.';
    throw new DelosError('bad-usage', `${error.message}${stop} See '${subject} --help'.`, { cause: error });
  }
}

function findCommand(program: Program, words: readonly string[]): Found {
  const [first = '', second = ''] = words;
  const two = second === '' ? undefined : commandNamed(program, `${first} ${second}`);
  if (two !== undefined) return { kind: 'command', command: two, words: 2 };
  const one = commandNamed(program, first);
  if (one !== undefined) return { kind: 'command', command: one, words: 1 };
  const names = program.commands.flatMap((row) => row.hidden ? [] : [row.name, ...(row.aliases ?? [])]);
  const inGroup = names.filter((name) => name.startsWith(`${first} `));
  if (inGroup.length > 0 && (second === '' || second === '--help' || second === 'help')) return { kind: 'group', group: first };
  const subject = inGroup.length > 0 ? `${program.name} ${first}` : program.name;
  const asked = inGroup.length > 0 ? second : first;
  const known = inGroup.length > 0 ? inGroup.map((name) => name.slice(first.length + 1)) : names;
  const near = nearest(asked, known);
  const hint = near === undefined ? '' : `, did you mean '${near}'?`;
  return inContext(subject, () => {
    throw new DelosError('bad-usage', `'${asked}' is not a ${subject} command${hint}`);
  });
}

function commandNamed(program: Program, name: string): Command | undefined {
  return program.commands.find((row) => row.name === name || row.aliases?.includes(name) === true);
}

function checkCount(subject: string, { min, max }: { min: number; max: number }, count: number): void {
  if (count >= min && count <= max) return;
  const expected =
    max === 0 ? 'accepts no arguments'
    : min === max ? `requires exactly ${argumentCount(min)}`
    : count < min ? `requires at least ${argumentCount(min)}`
    : `accepts at most ${argumentCount(max)}`;
  throw new DelosError('bad-usage', `'${subject}' ${expected}, ${count} given`);
}

function argumentCount(count: number): string {
  return `${count} argument${count === 1 ? '' : 's'}`;
}
