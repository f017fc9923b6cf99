import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { ignoreForm } from './glob.ts';

/** What of a context is left out: the patterns of a .dockerignore, of which the last that fits counts. */
export interface Ignored {
  /** @param name relative to the context, as text */
  has(name: string): boolean;
  /** Something below what is left out may be let in again. */
  readonly hasExceptions: boolean;
}

export const ignoreNothing: Ignored = { has: () => false, hasExceptions: false };

interface Rule {
  readonly form: RegExp;
  readonly letsIn: boolean;
}

/**
 * Reads a .dockerignore, in docker's syntax: a pattern a line, `#` begins a comment, `!` lets in again, `**` is any number of folders. A
 * pattern that fits a folder fits all that is in it.
 * @param file its name, for messages
 * @throws DelosError bad-dockerfile
 */
export function parseIgnore(text: string, file: string): Ignored {
  const rules = text.replace(/^\uFEFF/, '').split(/\r?\n/).flatMap((line, index) => ruleOf(line, `${file}:${index + 1}`));
  return { has: (name) => isIgnored(rules, name), hasExceptions: rules.some(({ letsIn }) => letsIn) };
}

function ruleOf(line: string, place: string): Rule[] {
  if (line.startsWith('#') || line.trim() === '') return [];
  const [, exclamation, rest = ''] = /^(!?)\s*([^]*)$/.exec(line.trim()) ?? [];
  if (rest === '') throw new DelosError('bad-dockerfile', `${place}: expected a pattern behind !`);
  const pattern = path.posix.normalize(rest).replace(/^\/+/, '').replace(/(?<=.)\/+$/, '');
  try {
    return pattern === '' ? [] : [{ form: ignoreForm(pattern), letsIn: exclamation === '!' }];
  } catch (cause) {
    throw new DelosError('bad-dockerfile', `${place}: ${(cause as Error).message}`, { cause });
  }
}

function isIgnored(rules: readonly Rule[], name: string): boolean {
  const parts = name.split('/');
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  let ignored = false;
  for (const { form, letsIn } of rules) if (ignored === letsIn && prefixes.some((prefix) => form.test(prefix))) ignored = !letsIn;
  return ignored;
}
