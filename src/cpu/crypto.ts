/** AES, SHA and products without carry on vectors, exactly (FIPS 197, FIPS 180-4; SDM volume 2, AESENC to SHA256RNDS2). */

const word = (vector: bigint, at: number): number => Number((vector >> BigInt(32 * at)) & 0xffffffffn);
const vector = (words: readonly number[]): bigint => words.reduce((sum, each, at) => sum | (BigInt(each >>> 0) << BigInt(32 * at)), 0n);
const words = (value: bigint): number[] => [0, 1, 2, 3].map((at) => word(value, at));
const bytesOf = (value: bigint): number[] => words(value).flatMap((each) => [each & 0xff, (each >>> 8) & 0xff, (each >>> 16) & 0xff, each >>> 24]);
const ofBytes = (bytes: readonly number[]): bigint => vector([0, 4, 8, 12].map((at) => (
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
)));

/** Multiplied by x in the field of 256 elements of AES. */
const double = (value: number): number => ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;

function times(a: number, b: number): number {
  let product = 0;
  for (let [factor, rest] = [a, b]; rest !== 0; factor = double(factor), rest >>= 1) if (rest & 1) product ^= factor;
  return product;
}

/** The inverse in the field, then an affine map. */
function substitution(): number[] {
  const logarithms: number[] = [];
  const powers: number[] = [];
  for (let exponent = 0, value = 1; exponent < 255; exponent++, value = times(value, 3)) {
    powers[exponent] = value;
    logarithms[value] = exponent;
  }
  return Array.from({ length: 256 }, (_, value) => {
    const inverse = value === 0 ? 0 : powers[(255 - (logarithms[value] as number)) % 255] as number;
    let result = 0x63;
    for (let by = 0; by < 5; by++) result ^= ((inverse << by) | (inverse >> (8 - by))) & 0xff;
    return result;
  });
}

const box = substitution();
const inverseBox = box.reduce<number[]>((inverse, value, at) => {
  inverse[value] = at;
  return inverse;
}, []);

/** Byte `row` of column `column` comes from so many columns further on. */
const shifted = (bytes: readonly number[], direction: 1 | -1): number[] => bytes.map((_, at) => bytes[(at + 4 * direction * (at % 4) + 16) % 16] as number);
const substituted = (bytes: readonly number[], table: readonly number[]): number[] => bytes.map((byte) => table[byte] as number);

type Circulant = readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];

/** All multiples of each factor of a circulant matrix. */
const circulant = (...factors: readonly [number, number, number, number]): Circulant => (
  factors.map((factor) => Uint8Array.from({ length: 256 }, (_, value) => times(value, factor))) as unknown as Circulant
);

/** Each column multiplied by the matrix. */
function mixed(bytes: readonly number[], [first, second, third, fourth]: Circulant): number[] {
  const multiple = (table: Uint8Array, at: number): number => table[bytes[at] as number] as number;
  return bytes.map((_, at) => {
    const column = at & ~3;
    return multiple(first, at) ^ multiple(second, column + ((at + 1) & 3)) ^ multiple(third, column + ((at + 2) & 3)) ^ multiple(fourth, column + ((at + 3) & 3));
  });
}

const forwards = circulant(2, 3, 1, 1);
const backwards = circulant(14, 11, 13, 9);

export function aesEncrypt(state: bigint, key: bigint, last: boolean): bigint {
  const bytes = substituted(shifted(bytesOf(state), 1), box);
  return ofBytes(last ? bytes : mixed(bytes, forwards)) ^ key;
}

export function aesDecrypt(state: bigint, key: bigint, last: boolean): bigint {
  const bytes = substituted(shifted(bytesOf(state), -1), inverseBox);
  return ofBytes(last ? bytes : mixed(bytes, backwards)) ^ key;
}

export const aesInverseMix = (key: bigint): bigint => ofBytes(mixed(bytesOf(key), backwards));

const substituteWord = (value: number): number => [0, 8, 16, 24].reduce((sum, at) => sum | ((box[(value >>> at) & 0xff] as number) << at), 0) >>> 0;
const rotateRight = (value: number, by: number): number => ((value >>> by) | (value << (32 - by))) >>> 0;

export function aesKey(key: bigint, constant: bigint): bigint {
  const [low, high] = [substituteWord(word(key, 1)), substituteWord(word(key, 3))];
  return vector([low, rotateRight(low, 8) ^ Number(constant), high, rotateRight(high, 8) ^ Number(constant)]);
}

/** Of 64 bits by 64, as polynomials. */
export function carrylessProduct(a: bigint, b: bigint): bigint {
  const multiples = [0n, a];
  for (let at = 2; at < 16; at += 2) {
    const even = (multiples[at / 2] as bigint) << 1n;
    multiples.push(even, even ^ a);
  }
  let product = 0n;
  for (const digit of b.toString(16)) product = (product << 4n) ^ (multiples[Number.parseInt(digit, 16)] as bigint);
  return product;
}

const rotateLeft = (value: number, by: number): number => rotateRight(value, 32 - by);
const choose = (x: number, y: number, z: number): number => (x & y) ^ (~x & z);
const parity = (x: number, y: number, z: number): number => x ^ y ^ z;
const majority = (x: number, y: number, z: number): number => (x & y) ^ (x & z) ^ (y & z);

const sha1Rounds = [[choose, 0x5a827999], [parity, 0x6ed9eba1], [majority, 0x8f1bbcdc], [parity, 0xca62c1d6]] as const;

/** Four rounds; the first word of the message has E in it. Words stand from the top: A is the uppermost. */
export function sha1Four(state: bigint, message: bigint, number: bigint): bigint {
  const [mix, constant] = sha1Rounds[Number(number & 3n)] as (typeof sha1Rounds)[number];
  let [a, b, c, d, e] = [word(state, 3), word(state, 2), word(state, 1), word(state, 0), 0] as [number, number, number, number, number];
  for (let round = 0; round < 4; round++) {
    const next = (mix(b, c, d) + rotateLeft(a, 5) + word(message, 3 - round) + e + constant) >>> 0;
    [a, b, c, d, e] = [next, a, rotateLeft(b, 30), c, d];
  }
  return vector([d, c, b, a]);
}

export function sha1NextE(state: bigint, message: bigint): bigint {
  return vector([word(message, 0), word(message, 1), word(message, 2), word(message, 3) + rotateLeft(word(state, 3), 30)]);
}

export function sha1Message1(first: bigint, second: bigint): bigint {
  const all = [word(first, 3), word(first, 2), word(first, 1), word(first, 0), word(second, 3), word(second, 2)] as const;
  return vector([all[5] ^ all[3], all[4] ^ all[2], all[3] ^ all[1], all[2] ^ all[0]]);
}

export function sha1Message2(first: bigint, second: bigint): bigint {
  const [w16, w17, w18] = [rotateLeft(word(first, 3) ^ word(second, 2), 1), rotateLeft(word(first, 2) ^ word(second, 1), 1), rotateLeft(word(first, 1) ^ word(second, 0), 1)];
  return vector([rotateLeft(word(first, 0) ^ w16, 1), w18, w17, w16]);
}

const turn = (x: number, ...by: readonly [number, number, number]): number => rotateRight(x, by[0]) ^ rotateRight(x, by[1]) ^ rotateRight(x, by[2]);
const small = (x: number, first: number, second: number, shift: number): number => rotateRight(x, first) ^ rotateRight(x, second) ^ (x >>> shift);

/** Two rounds: C, D, G and H in one vector, A, B, E and F in the other, the message and its constants already summed. */
export function sha256Two(cdgh: bigint, abef: bigint, message: bigint): bigint {
  let [a, b, c, d] = [word(abef, 3), word(abef, 2), word(cdgh, 3), word(cdgh, 2)];
  let [e, f, g, h] = [word(abef, 1), word(abef, 0), word(cdgh, 1), word(cdgh, 0)];
  for (let round = 0; round < 2; round++) {
    const first = h + turn(e, 6, 11, 25) + choose(e, f, g) + word(message, round);
    const next = (first + turn(a, 2, 13, 22) + majority(a, b, c)) >>> 0;
    [a, b, c, d, e, f, g, h] = [next, a, b, c, (first + d) >>> 0, e, f, g];
  }
  return vector([f, e, b, a]);
}

export function sha256Message1(first: bigint, second: bigint): bigint {
  const all = [word(first, 0), word(first, 1), word(first, 2), word(first, 3), word(second, 0)];
  return vector([0, 1, 2, 3].map((at) => (all[at] as number) + small(all[at + 1] as number, 7, 18, 3)));
}

export function sha256Message2(first: bigint, second: bigint): bigint {
  const w16 = (word(first, 0) + small(word(second, 2), 17, 19, 10)) >>> 0;
  const w17 = (word(first, 1) + small(word(second, 3), 17, 19, 10)) >>> 0;
  return vector([w16, w17, word(first, 2) + small(w16, 17, 19, 10), word(first, 3) + small(w17, 17, 19, 10)]);
}
