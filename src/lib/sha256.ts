/** FIPS 180-4, 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const constants = fractions(64, Math.cbrt);

/** 5.3.3: likewise of the square roots of the first eight. */
const initial = fractions(8, Math.sqrt);

const BLOCK = 64;

/**
 * The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. For the names of things: loading node:crypto takes as long as to plan a
 * container.
 */
export function sha256(text: string): string {
  return [...digest(new TextEncoder().encode(text))].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

/** The SHA-256 of bytes: 32 of them. Works in a browser; node:crypto's is several times as fast. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  const result = new DataView(new ArrayBuffer(32));
  digest(bytes).forEach((word, at) => result.setInt32(4 * at, word));
  return new Uint8Array(result.buffer);
}

function digest(bytes: Uint8Array): Int32Array {
  const state = Int32Array.from(initial);
  const words = new Int32Array(64);
  const whole = bytes.length - (bytes.length % BLOCK);
  const message = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < whole; at += BLOCK) compress(state, words, message, at);
  const last = padded(bytes.subarray(whole), bytes.length);
  for (let at = 0; at < last.byteLength; at += BLOCK) compress(state, words, last, at);
  return state;
}

/** 5.1.1: behind what is left of the message a bit, zeros up to a whole number of blocks, and the length of it all in bits. */
function padded(rest: Uint8Array, length: number): DataView {
  const view = new DataView(new ArrayBuffer((rest.length + 9 + 63) & -64));
  new Uint8Array(view.buffer).set(rest);
  view.setUint8(rest.length, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(length) * 8n);
  return view;
}

/** 6.2.2, for the block of 64 bytes at `at`. Rotations are written out, and registers are variables: this is what a whole snapshot goes through. */
function compress(state: Int32Array, words: Int32Array, message: DataView, at: number): void {
  for (let t = 0; t < 16; t++) words[t] = message.getInt32(at + 4 * t);
  for (let t = 16; t < 64; t++) {
    const old = words[t - 15] as number;
    const young = words[t - 2] as number;
    const low = ((old >>> 7) | (old << 25)) ^ ((old >>> 18) | (old << 14)) ^ (old >>> 3);
    const high = ((young >>> 17) | (young << 15)) ^ ((young >>> 19) | (young << 13)) ^ (young >>> 10);
    words[t] = (low + high + (words[t - 7] as number) + (words[t - 16] as number)) | 0;
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let t = 0; t < 64; t++) {
    const mixed = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + mixed + ((e & f) ^ (~e & g)) + (constants[t] as number) + (words[t] as number)) | 0;
    const two = (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  const after = [a, b, c, d, e, f, g, h];
  for (let word = 0; word < 8; word++) state[word] = (state[word] as number) + (after[word] as number);
}

function fractions(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = [];
  for (let number = 2; primes.length < count; number++) if (primes.every((prime) => number % prime !== 0)) primes.push(number);
  return Int32Array.from(primes, (prime) => Math.floor((root(prime) % 1) * 2 ** 32) | 0);
}
