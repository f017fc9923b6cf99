import { DelosError } from '../lib/errors.ts';

const controls = new Map<string, number>([['@', 0], ['[', 27], ['\\', 28], [']', 29], ['^', 30], ['_', 31]]);

/** `--detach-keys ctrl-p,ctrl-q`: the bytes a terminal sends for these keys, one each; a key is a character or `ctrl-` and one of `a`-`z@[\]^_`. Throws `bad-usage`. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(','), (key) => {
    if (/^[ -~]$/.test(key)) return key.charCodeAt(0);
    const held = /^ctrl-(.)$/.exec(key)?.[1] ?? '';
    const byte = /^[a-z]$/.test(held) ? held.charCodeAt(0) - 'a'.charCodeAt(0) + 1 : controls.get(held);
    if (byte === undefined) throw new DelosError('bad-usage', `invalid --detach-keys '${text}': '${key}' is no key such as a or ctrl-p`);
    return byte;
  });
}
