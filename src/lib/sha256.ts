/** FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const constants = fractions(64, Math.cbrt);

/** 5.3.3: likewise of the square roots of the first eight. */
const initial = fractions(8, Math.sqrt);

/**
 * The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. For the names of things: loading node:crypto takes as long as to plan a
 * container. It is slow for more than a few kB.
 */
export function sha256(text: string): string {
  const state = Uint32Array.from(initial);
  const message = padded(Buffer.from(text));
  for (let at = 0; at < message.byteLength; at += 64) compress(state, message, at);
  return [...state].map((word) => word.toString(16).padStart(8, '0')).join('');
}

/** 5.1.1: a bit, zeros up to a whole number of blocks, and the length in bits. */
function padded(bytes: Uint8Array): DataView {
  const view = new DataView(new ArrayBuffer((bytes.length + 9 + 63) & -64));
  new Uint8Array(view.buffer).set(bytes);
  view.setUint8(bytes.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(bytes.length) * 8n);
  return view;
}

/** 6.2.2, for the block of 64 bytes at `at`. */
function compress(state: Uint32Array, message: DataView, at: number): void {
  const words = new Uint32Array(64);
  const word = (index: number): number => words[index] as number;
  for (let t = 0; t < 64; t++) {
    words[t] = t < 16
      ? message.getUint32(at + 4 * t)
      : (turned(word(t - 2), 17, 19) ^ (word(t - 2) >>> 10)) + word(t - 7) + (turned(word(t - 15), 7, 18) ^ (word(t - 15) >>> 3)) + word(t - 16);
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let t = 0; t < 64; t++) {
    const one = h + (turned(e, 6, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + (constants[t] as number) + word(t);
    const two = (turned(a, 2, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    [a, b, c, d, e, f, g, h] = [(one + two) | 0, a, b, c, (d + one) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((value, index) => (state[index] = (state[index] as number) + value));
}

/** ROTR of 32 bits by each of the amounts, exclusive-or. */
function turned(word: number, ...by: readonly number[]): number {
  return by.reduce((sum, bits) => sum ^ ((word >>> bits) | (word << (32 - bits))), 0);
}

function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++) if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return Uint32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32);
}
