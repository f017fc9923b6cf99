import { DelosError } from '../lib/errors.ts';
import type { Dialect, Flag, FlagType, FlagTypes } from './flags.ts';
import { nearest } from './nearest.ts';
import { parseBoolean, parseCpus, parseDuration, parseInteger, parseSize } from './units.ts';

type FlagValue = FlagTypes[FlagType] | undefined;

export interface Reading {
  /** A value for every flag of the table: what was given, or its default. */
  values: Record<string, FlagTypes[FlagType]>;
  positional: string[];
  help: boolean;
}

function defaults(flags: readonly Flag[]): Record<string, FlagTypes[FlagType]> {
  const values: Record<string, FlagTypes[FlagType]> = {};
  for (const flag of flags) {
    const value: FlagValue = flag.default ?? (flag.type === 'bool' ? false : flag.type === 'list' ? [] : undefined);
    if (value !== undefined) values[flag.name] = value;
  }
  return values;
}

/** The words of one command line still to be read, and what was read of it. */
interface Cursor {
  readonly words: readonly string[];
  readonly flags: readonly Flag[];
  readonly reading: Reading;
  at: number;
}

/** Reads flags and arguments, up to the first argument if `stopAtFirst`. Throws `bad-usage`. */
export function readFlags(words: readonly string[], flags: readonly Flag[], dialect: Dialect, stopAtFirst: boolean): Reading {
  const cursor: Cursor = { words, flags, at: 0, reading: { values: defaults(flags), positional: [], help: false } };
  const { positional } = cursor.reading;
  while (cursor.at < words.length) {
    const word = words[cursor.at++] ?? '';
    if (word === '--') break;
    if (word.length < 2 || word[0] !== '-') {
      positional.push(word);
      if (stopAtFirst) break;
    } else if (word[1] === '-') {
      readLong(cursor, word, word.slice(2));
    } else if (dialect === 'urfave') {
      readLong(cursor, word, word.slice(1));
    } else {
      readLetters(cursor, word);
    }
  }
  positional.push(...words.slice(cursor.at));
  return cursor.reading;
}

/** `--name`, `--name=value`, `--name value`; in the urfave dialect a letter is a name too. */
function readLong(cursor: Cursor, word: string, body: string): void {
  const equals = body.indexOf('=');
  const name = equals < 0 ? body : body.slice(0, equals);
  const dashes = word.slice(0, word.length - body.length);
  const flag = cursor.flags.find((row) =>
    row.name === name || row.aliases?.includes(name) === true || (dashes === '-' && row.short === name));
  if (flag === undefined) {
    if (name === 'help' || (dashes === '-' && name === 'h')) cursor.reading.help = true;
    else throw unknownFlag(cursor.flags, `${dashes}${name}`, name);
    return;
  }
  if (equals >= 0) store(cursor, flag, body.slice(equals + 1));
  else store(cursor, flag, bareValue(flag) ?? nextWord(cursor, `${dashes}${name}`));
}

/** `-it`, `-e A=1`, `-eA=1`, `-e=A=1`. Only the last letter of a cluster can take a value. */
function readLetters(cursor: Cursor, word: string): void {
  for (let i = 1; i < word.length; i++) {
    const letter = word[i];
    const flag = cursor.flags.find((row) => row.short === letter);
    if (flag === undefined) {
      if (letter !== 'h') throw new DelosError('bad-usage', `unknown shorthand flag: '${letter}' in ${word}`);
      cursor.reading.help = true;
      continue;
    }
    if (word[i + 1] === '=') return store(cursor, flag, word.slice(i + 2));
    const bare = bareValue(flag);
    if (bare === undefined) {
      const rest = word.slice(i + 1);
      return store(cursor, flag, rest === '' ? nextWord(cursor, `'${letter}' in ${word}`) : rest);
    }
    store(cursor, flag, bare);
  }
}

function bareValue(flag: Flag): string | undefined {
  return flag.bare ?? (flag.type === 'bool' ? 'true' : undefined);
}

function nextWord(cursor: Cursor, flag: string): string {
  const word = cursor.words[cursor.at++];
  if (word === undefined) throw new DelosError('bad-usage', `flag needs an argument: ${flag}`);
  return word;
}

function unknownFlag(flags: readonly Flag[], written: string, name: string): DelosError {
  const near = nearest(name, flags.filter((flag) => flag.hidden !== true).map((flag) => flag.name));
  return new DelosError('bad-usage', `unknown flag: ${written}${near === undefined ? '' : `, did you mean --${near}?`}`);
}

function store({ reading: { values } }: Cursor, flag: Flag, text: string): void {
  if (flag.type === 'list') {
    // The default of a list is a fresh array, so adding to it changes no table.
    (values[flag.name] as string[]).push(text);
    return;
  }
  try {
    values[flag.name] = convert(flag, text);
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    const written = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
    throw new DelosError('bad-usage', `invalid argument "${text}" for "${written}": ${error.message}`, { cause: error });
  }
}

function convert(flag: Flag, text: string): boolean | string | number {
  switch (flag.type) {
    case 'bool': return parseBoolean(text);
    case 'int': return parseInteger(text);
    case 'size': return flag.unlimited === true && text === '-1' ? -1 : parseSize(text);
    case 'duration': return parseDuration(text);
    case 'cpus': return parseCpus(text);
    case 'string': case 'list': return text;
  }
}
