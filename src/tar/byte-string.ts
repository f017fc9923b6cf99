/**
 * Names in archives and on disk are bytes, of any encoding or none. They are kept as strings with one character of U+0000 to U+00FF a byte
 * (Latin-1): nothing is lost, they compare and sort as their bytes do, and plain ASCII is itself.
 */
export type ByteString = string;

/** The byte string of a text: its UTF-8. */
export function byteString(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The text of a byte string: its bytes as UTF-8, with U+FFFD for what is none. */
export function textOf(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A name as it may stand in a message: quoted, printable, on one line, at most about 120 characters. */
export function quoted(name: ByteString): string {
  const text = textOf(name);
  const short = text.length > 120 ? `${text.slice(0, 90)}...${text.slice(-20)}` : text;
  return JSON.stringify(short).replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
