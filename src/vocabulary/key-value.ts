import { DelosError } from '../lib/errors.ts';

/** Splits at the first `=`; `value` is undefined without one. */
export function splitPair(text: string): { key: string; value: string | undefined } {
  const equals = text.indexOf('=');
  return equals < 0 ? { key: text, value: undefined } : { key: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** `--label`, `--annotation`: `key=value`, or `key` for an empty value. The last of a key wins. Throws `bad-usage`. */
export function parseLabels(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const { key, value = '' } = splitPair(text);
    if (key === '') throw new DelosError('bad-usage', `invalid --${flag} '${text}': expected key=value`);
    return [key, value];
  }));
}

/** `--sysctl name=value`. Throws `bad-usage`. */
export function parseSysctls(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => {
    const { key, value } = splitPair(text);
    if (!/^[\w./-]+$/.test(key) || value === undefined) {
      throw new DelosError('bad-usage', `invalid --sysctl '${text}': expected name=value, such as net.ipv4.ip_forward=1`);
    }
    return [key, value];
  }));
}

/**
 * `-e`: `NAME=value`, or `NAME` to take over the caller's value, which leaves it out where the caller has none.
 * Returns `NAME=value` strings. Throws `bad-usage`.
 */
export function parseEnvironment(texts: readonly string[], callers: Readonly<Record<string, string>>): string[] {
  return texts.flatMap((text) => {
    const { key, value } = splitPair(text);
    if (key === '' || text.includes('\0')) throw new DelosError('bad-usage', `invalid environment variable '${text}': expected NAME=value or NAME`);
    if (value !== undefined) return [text];
    return Object.hasOwn(callers, key) ? [`${key}=${callers[key]}`] : [];
  });
}

/**
 * The lines of an `--env-file`, in docker's syntax: `NAME=value` with the value taken as it stands, quotes included; `NAME` as for `-e`;
 * empty lines and lines that begin with `#` are skipped. `path` is for the message. Throws `bad-usage`.
 */
export function parseEnvironmentFile(path: string, content: string, callers: Readonly<Record<string, string>>): string[] {
  const lines = content.replace(/^\uFEFF/, '').split(/\r?\n/);
  return lines.flatMap((line, number) => {
    const text = line.trimStart();
    if (text === '' || text.startsWith('#')) return [];
    const { key } = splitPair(text);
    if (key === '' || /\s/.test(key)) throw new DelosError('bad-usage', `${path}:${number + 1}: '${text}': expected NAME=value with no space in the name`);
    return parseEnvironment([text], callers);
  });
}

/** Joins lists of `NAME=value`; a later value takes the place of an earlier one of the same name. */
export function mergeEnvironment(...lists: readonly (readonly string[])[]): string[] {
  const merged = new Map<string, string>();
  for (const text of lists.flat()) merged.set(splitPair(text).key, text);
  return [...merged.values()];
}
