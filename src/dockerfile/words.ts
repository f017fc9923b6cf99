/**
 * The words of a line as they stand, quotes and escapes included: blanks separate them, but not within quotes or behind an escape.
 * @param escape the Dockerfile's: a backslash or a backtick
 */
export function rawWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === escape && quote !== "'" && at + 1 < text.length) {
      word += character + (text[++at] as string);
      continue;
    }
    if (quote === '' && /\s/.test(character)) {
      if (word !== '') words.push(word);
      word = '';
      continue;
    }
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    word += character;
  }
  return word === '' ? words : [...words, word];
}
