import fs from 'node:fs';
import { errnoOf } from '../../cgroup/control-file.ts';
import { DelosError } from '../../lib/errors.ts';
import { greeting } from '../../westworld/narratives.ts';

/** More than a host of one megabyte holds, and no file is read beyond it. */
const MOST_BYTES = 1 << 24;

/**
 * A guest's machine code: of `--code`, of a file, or the one that says "Hi!".
 * @throws DelosError bad-usage, io, too-large
 */
export function guestCode(hex: string | undefined, file: string | undefined): Uint8Array {
  if (hex !== undefined && file !== undefined) throw new DelosError('bad-usage', 'a guest is a file or --code, not both');
  if (file !== undefined) return fileBytes(file);
  return hex === undefined ? Uint8Array.from(greeting) : hexBytes(hex);
}

function hexBytes(text: string): Uint8Array {
  const digits = text.replaceAll(/0x|[\s,]/gi, '');
  if (digits === '' || digits.length % 2 > 0 || /[^\da-f]/i.test(digits)) {
    throw new DelosError('bad-usage', `'${text}' is not machine code: bytes of two hexadecimal digits are expected, as in 'b0 48 ee f4'`);
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function fileBytes(file: string): Uint8Array {
  try {
    if (fs.statSync(file).size <= MOST_BYTES) return fs.readFileSync(file);
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
  }
  throw new DelosError('too-large', `${file}: a guest has at most ${MOST_BYTES} bytes`);
}

/** An address of 64 bits: `0x7c00`, `31744`. @throws DelosError bad-usage */
export function address(text: string): bigint {
  if (/^(?:0x[\da-f]{1,16}|\d{1,20})$/i.test(text) && BigInt(text) < 1n << 64n) return BigInt(text);
  throw new DelosError('bad-usage', `'${text}' is no address`);
}
