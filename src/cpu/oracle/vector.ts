/** WebAssembly's operations on vectors of integers, lane by lane on bigints (WebAssembly core specification 2.0, 4.3.6). */

/** A lane's operation, on its values without and with a sign. */
interface Lane {
  readonly width: bigint;
  readonly signed: (value: bigint) => bigint;
  readonly most: bigint;
}

type Binary = (x: bigint, y: bigint, lane: Lane) => bigint;
type Unary = (x: bigint, lane: Lane) => bigint;

const clamp = (value: bigint, low: bigint, high: bigint): bigint => (value < low ? low : value > high ? high : value);
const mask = (holds: boolean): bigint => (holds ? -1n : 0n);
const saturate = (value: bigint, { width }: Lane): bigint => clamp(value, -(1n << (width - 1n)), (1n << (width - 1n)) - 1n);

const binaries: Readonly<Record<string, Binary>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  add_sat_s: (x, y, lane) => saturate(lane.signed(x) + lane.signed(y), lane),
  add_sat_u: (x, y, { most }) => clamp(x + y, 0n, most),
  sub_sat_s: (x, y, lane) => saturate(lane.signed(x) - lane.signed(y), lane),
  sub_sat_u: (x, y, { most }) => clamp(x - y, 0n, most),
  min_s: (x, y, { signed }) => (signed(x) < signed(y) ? x : y),
  min_u: (x, y) => (x < y ? x : y),
  max_s: (x, y, { signed }) => (signed(x) > signed(y) ? x : y),
  max_u: (x, y) => (x > y ? x : y),
  avgr_u: (x, y) => (x + y + 1n) >> 1n,
  eq: (x, y) => mask(x === y),
  ne: (x, y) => mask(x !== y),
  lt_s: (x, y, { signed }) => mask(signed(x) < signed(y)),
  lt_u: (x, y) => mask(x < y),
  gt_s: (x, y, { signed }) => mask(signed(x) > signed(y)),
  gt_u: (x, y) => mask(x > y),
  le_s: (x, y, { signed }) => mask(signed(x) <= signed(y)),
  le_u: (x, y) => mask(x <= y),
  ge_s: (x, y, { signed }) => mask(signed(x) >= signed(y)),
  ge_u: (x, y) => mask(x >= y),
  q15mulr_sat_s: (x, y, lane) => saturate((lane.signed(x) * lane.signed(y) + 0x4000n) >> 15n, lane),
};

const unaries: Readonly<Record<string, Unary>> = {
  abs: (x, { signed }) => (signed(x) < 0n ? -signed(x) : x),
  neg: (x) => -x,
  popcnt: (x) => BigInt(x.toString(2).replaceAll('0', '').length),
};

const shifts: Readonly<Record<string, Binary>> = {
  shl: (x, count) => x << count,
  shr_u: (x, count) => x >> count,
  shr_s: (x, count, { signed }) => signed(x) >> count,
};

const bitwise: Readonly<Record<string, (x: bigint, y: bigint, z: bigint) => bigint>> = {
  not: (x) => ~x,
  and: (x, y) => x & y,
  andnot: (x, y) => x & ~y,
  or: (x, y) => x | y,
  xor: (x, y) => x ^ y,
  bitselect: (x, y, z) => (x & z) | (y & ~z),
  any_true: (x) => (x === 0n ? 0n : 1n),
};

const laneOf = (width: number): Lane => {
  const wide = BigInt(width);
  return { width: wide, signed: (value) => BigInt.asIntN(width, value), most: (1n << wide) - 1n };
};

function split(vector: bigint, width: number): bigint[] {
  return Array.from({ length: 128 / width }, (_, at) => BigInt.asUintN(width, vector >> BigInt(at * width)));
}

function join(lanes: readonly bigint[], width: number): bigint {
  return lanes.reduce((sum, lane, at) => sum | (BigInt.asUintN(width, lane) << BigInt(at * width)), 0n);
}

/** @param operation its name in the text format @throws Error for one that is none of these: our own mistake */
export function vectorOperation(operation: string, [x = 0n, y = 0n, z = 0n]: readonly bigint[]): bigint {
  const [shape = '', name = ''] = operation.split('.');
  if (shape === 'v128') return BigInt.asUintN(128, (bitwise[name] ?? missing(operation))(x, y, z));
  const width = Number(/^i(\d+)x/.exec(shape)?.[1] ?? missing(operation));
  const lane = laneOf(width);
  const binary = binaries[name];
  if (binary !== undefined) return join(split(x, width).map((each, at) => binary(each, split(y, width)[at] ?? 0n, lane)), width);
  const unary = unaries[name];
  if (unary !== undefined) return join(split(x, width).map((each) => unary(each, lane)), width);
  const shift = shifts[name];
  if (shift !== undefined) return join(split(x, width).map((each) => shift(each, y % lane.width, lane)), width);
  return across(operation, name, width, x, y);
}

/** Those whose lanes change their number or width. */
function across(operation: string, name: string, width: number, x: bigint, y: bigint): bigint {
  const lane = laneOf(width);
  if (name === 'splat') return join(Array.from({ length: 128 / width }, () => x), width);
  if (name === 'bitmask') return split(x, width).reduce((sum, each, at) => sum | ((each >> (lane.width - 1n)) << BigInt(at)), 0n);
  if (name === 'all_true') return split(x, width).every((each) => each !== 0n) ? 1n : 0n;
  if (name === 'swizzle') return join(split(y, 8).map((from) => (from < 16n ? split(x, 8)[Number(from)] ?? 0n : 0n)), 8);
  const narrow = /^narrow_i\d+x\d+_([su])$/.exec(name);
  if (narrow) {
    const wide = laneOf(2 * width);
    const low = narrow[1] === 's' ? -(1n << (lane.width - 1n)) : 0n;
    const high = narrow[1] === 's' ? (1n << (lane.width - 1n)) - 1n : lane.most;
    return join([...split(x, 2 * width), ...split(y, 2 * width)].map((each) => clamp(wide.signed(each), low, high)), width);
  }
  const half = /^(extend|extmul)_(low|high)_i\d+x\d+_([su])$/.exec(name);
  if (half) {
    const from = laneOf(width / 2);
    const wanted = (vector: bigint): bigint[] => {
      const all = split(vector, width / 2).map((each) => (half[3] === 's' ? from.signed(each) : each));
      return half[2] === 'low' ? all.slice(0, all.length / 2) : all.slice(all.length / 2);
    };
    const second = wanted(y);
    return join(wanted(x).map((each, at) => (half[1] === 'extend' ? each : each * (second[at] ?? 0n))), width);
  }
  if (name === 'dot_i16x8_s') {
    const products = split(x, 16).map((each, at) => BigInt.asIntN(16, each) * BigInt.asIntN(16, split(y, 16)[at] ?? 0n));
    return join(Array.from({ length: 4 }, (_, at) => (products[2 * at] ?? 0n) + (products[2 * at + 1] ?? 0n)), 32);
  }
  return missing(operation);
}

function missing(operation: string): never {
  throw new Error(`the oracle has no vector operation ${operation}`);
}
