import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';

/** Whether a word is a pattern and not simply a name. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * A pattern of Go's filepath.Match, which COPY knows: `*` and `?` stop at slashes, `[a-z]` and `[^a-z]` are classes, a backslash takes
 * the meaning from the next character.
 * @throws DelosError bad-usage for a class that is not closed
 */
export function globForm(pattern: string): RegExp {
  return formOf(pattern, false);
}

/** A pattern of .dockerignore: the same, and `**` stands for any number of folders. @throws DelosError bad-usage */
export function ignoreForm(pattern: string): RegExp {
  return formOf(pattern, true);
}

const literal = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');

function formOf(pattern: string, hasDoubleStar: boolean): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length;) {
    const rest = pattern.slice(at);
    const [taken, form] = (hasDoubleStar ? doubleStar(rest) : undefined) ?? part(rest, pattern);
    source += form;
    at += taken;
  }
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (cause) {
    throw new DelosError('bad-usage', `'${shown(pattern)}' is no pattern`, { cause });
  }
}

function doubleStar(rest: string): [number, string] | undefined {
  const [whole] = /^\*\*+\/?/.exec(rest) ?? [];
  if (whole === undefined) return undefined;
  return whole.length === rest.length ? [whole.length, '.*'] : [whole.length, whole.endsWith('/') ? '(?:.*/)?' : '.*'];
}

/** One part of a pattern: how many characters it takes, and what it is as a regular expression. */
function part(rest: string, pattern: string): [number, string] {
  const character = String.fromCodePoint(rest.codePointAt(0) ?? 0);
  if (character === '*') return [1, '[^/]*'];
  if (character === '?') return [1, '[^/]'];
  if (character === '[') return classOf(rest, pattern);
  if (character !== '\\') return [character.length, literal(character)];
  const escaped = String.fromCodePoint(rest.codePointAt(1) ?? 0x5c);
  return [1 + (rest.length > 1 ? escaped.length : 0), literal(escaped)];
}

function classOf(rest: string, pattern: string): [number, string] {
  const [whole, negated, members = ''] = /^\[(\^?)((?:\\[^]|[^\]\\])+)\]/u.exec(rest) ?? [];
  if (whole === undefined) throw new DelosError('bad-usage', `'${shown(pattern)}' is no pattern: a [ is not closed`);
  const form = members.replace(/\\([^])/gu, (_, escaped: string) => (/[\\\]^-]/.test(escaped) ? `\\${escaped}` : escaped));
  return [whole.length, `(?!/)[${negated}${form}]`];
}
