import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';

/**
 * The words of an instruction's arguments, as a Dockerfile has them: separated by blanks, with quotes of both kinds, and a backslash
 * before what is to be taken as it is.
 * @throws DelosError bad-usage for a quote that is not closed
 */
export function dockerfileWords(text: string): string[] {
  const words: string[] = [];
  const part = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)/y;
  let word: string | undefined;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) throw new DelosError('bad-usage', `'${shown(text)}': a quote or a backslash has no end`);
    const [, blank, single, double, escaped, plain] = match;
    if (blank === undefined) word = (word ?? '') + (single ?? double?.replace(/\\(["\\$])/g, '$1') ?? escaped ?? plain ?? '');
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** Arguments in the form of a JSON list of strings (`["sh", "-c"]`); nothing when they are in another form. */
export function jsonWords(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as string[];
  } catch {
    // It is text that begins with a bracket, as docker takes it.
  }
  return undefined;
}
