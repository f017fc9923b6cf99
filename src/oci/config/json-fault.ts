/**
 * Where a text stops being JSON, for people: JSON.parse tells the place of some faults only, and its words change with V8.
 * Runs after JSON.parse has refused, so its speed is of no matter; it keeps its own stack, so depth is of no matter either.
 */
import { quoted } from './printable.ts';

export interface JsonFault {
  /** From 1; the column counts UTF-16 units. */
  readonly line: number;
  readonly column: number;
  readonly expected: string;
  /** What stands there, quoted, or `the end`. */
  readonly found: string;
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** A place and what it lacks. */
class Stop {
  readonly at: number;
  readonly expected: string;

  constructor(at: number, expected: string) {
    this.at = at;
    this.expected = expected;
  }
}

/** The end of what `pattern` matches at `at`; `at` itself where it does not. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

const skip = (text: string, at: number): number => match(SPACE, text, at);

/** The end of the string that opens at `at`. A loop, because a pattern that repeats a choice overflows V8's stack on long strings. */
function passString(text: string, at: number): number | Stop {
  let end = at + 1;
  while (end < text.length) {
    const character = text.charAt(end);
    if (character === '"') return end + 1;
    if (character < ' ') return new Stop(end, 'an escape for this control character');
    const next = character === '\\' ? match(ESCAPE, text, end) : end + 1;
    if (next === end) return new Stop(end, 'an escape of JSON');
    end = next;
  }
  return new Stop(end, 'the closing quote of a string');
}

/** The end of the number, word or string at `at`. */
function passScalar(text: string, at: number): number | Stop {
  if (text[at] === '"') return passString(text, at);
  const end = Math.max(match(NUMBER, text, at), match(WORD, text, at));
  return end > at ? end : new Stop(at, 'a value');
}

/** The end of `"name" :` at `at`, with spaces. */
function passName(text: string, at: number, expected: string): number | Stop {
  if (text[at] !== '"') return new Stop(at, expected);
  const named = passString(text, at);
  if (named instanceof Stop) return named;
  const colon = skip(text, named);
  return text[colon] === ':' ? skip(text, colon + 1) : new Stop(colon, '":" after a property name');
}

/** Walks the text value by value; `open` holds the brackets to be closed. */
function scan(text: string): Stop | undefined {
  const open: ('{' | '[')[] = [];
  let at = skip(text, 0);
  for (;;) {
    const character = text[at];
    if (character === '{' || character === '[') {
      const inner = skip(text, at + 1);
      if (text[inner] === (character === '{' ? '}' : ']')) {
        at = inner + 1;
      } else {
        open.push(character);
        const value = character === '{' ? passName(text, inner, 'a property name in quotes or "}"') : inner;
        if (value instanceof Stop) return value;
        at = value;
        continue;
      }
    } else {
      const end = passScalar(text, at);
      if (end instanceof Stop) return end;
      at = end;
    }
    const next = passEnds(text, at, open);
    if (next === undefined || next instanceof Stop) return next;
    at = next;
  }
}

/** From behind a value to the next one, closing what closes; undefined at the end of a whole document. */
function passEnds(text: string, from: number, open: ('{' | '[')[]): number | Stop | undefined {
  for (let at = skip(text, from); ; at = skip(text, at + 1)) {
    const bracket = open.at(-1);
    if (bracket === undefined) return at === text.length ? undefined : new Stop(at, 'the end');
    const close = bracket === '{' ? '}' : ']';
    if (text[at] === ',') {
      const next = skip(text, at + 1);
      return bracket === '[' ? next : passName(text, next, 'a property name in quotes');
    }
    if (text[at] !== close) return new Stop(at, `"," or "${close}"`);
    open.pop();
  }
}

/** The first fault of a text that is no JSON; undefined for one that is. */
export function findJsonFault(text: string): JsonFault | undefined {
  const stop = scan(text);
  if (stop === undefined) return undefined;
  const before = text.slice(0, stop.at).split('\n');
  const character = text.codePointAt(stop.at);
  return {
    line: before.length,
    column: (before.at(-1)?.length ?? 0) + 1,
    expected: stop.expected,
    found: character === undefined ? 'the end' : quoted(String.fromCodePoint(character)),
  };
}
