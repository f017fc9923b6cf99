/** What a registry wants to see before it answers: RFC 9110, section 11.6.1. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const longest = 8192;
const token = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;

/**
 * The challenges of a WWW-Authenticate header. What is not well formed ends the list: of a header that makes no sense nothing is left.
 */
export function parseChallenges(header: string | undefined): Challenge[] {
  const text = (header ?? '').slice(0, longest);
  const found: { scheme: string; parameters: Record<string, string> }[] = [];
  let at = 0;
  const skip = (form: RegExp): void => {
    form.lastIndex = at;
    if (form.test(text)) at = form.lastIndex;
  };
  const take = (form: RegExp): RegExpExecArray | undefined => {
    form.lastIndex = at;
    const match = form.exec(text) ?? undefined;
    if (match !== undefined) at = form.lastIndex;
    return match;
  };
  for (;;) {
    skip(/[\s,]*/y);
    const word = take(token)?.[0].toLowerCase();
    if (word === undefined) return found;
    skip(/[ \t]*/y);
    if (text[at] !== '=') {
      found.push({ scheme: word, parameters: {} });
      continue;
    }
    at++;
    skip(/[ \t]*/y);
    const value = take(quoted)?.[1]?.replace(/\\(.)/g, '$1') ?? take(token)?.[0];
    const last = found.at(-1);
    if (value === undefined || last === undefined) return found;
    Object.defineProperty(last.parameters, word, { value, enumerable: true, configurable: true, writable: true });
  }
}
