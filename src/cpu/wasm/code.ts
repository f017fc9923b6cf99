import { lane, memory, plain, vector } from './opcodes.ts';

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** Their binary encodings (WebAssembly core specification, 5.3.1 and 5.3.2). */
export const typeCode: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** Appends `value` as LEB128 without a sign (5.2.2). */
export function unsigned(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}

/** Appends `value` as LEB128 with a sign. */
export function signed(bytes: number[], value: bigint): void {
  let rest = value;
  for (; rest < -0x40n || rest >= 0x40n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest & 0x7fn));
}

/** The body of one function: its instructions, and the locals they need. Numbers of locals begin behind the parameters. */
export class Code {
  readonly #bytes: number[] = [];
  readonly #locals: ValueType[] = [];
  readonly #parameters: number;
  /** Locals that nobody needs any more. */
  readonly #free = new Map<ValueType, number[]>();
  #depth = 0;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  /** How many blocks are open: a label is a depth, and `branch` goes to one by it. */
  get depth(): number {
    return this.#depth;
  }

  /** A local of the caller's own. What is in it at first is undefined. */
  local(type: ValueType): number {
    const free = this.#free.get(type)?.pop();
    if (free !== undefined) return free;
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  /** Nobody reads any more what is in the locals that have been given. */
  forgetLocals(): void {
    this.#free.clear();
    this.#locals.forEach((type, at) => this.#free.set(type, [...this.#free.get(type) ?? [], this.#parameters + at]));
  }

  /** Instructions without immediates, by their names, in order. */
  op(...names: readonly string[]): this {
    for (const name of names) {
      const byte = plain.get(name);
      if (byte !== undefined) {
        this.#bytes.push(byte);
        continue;
      }
      this.#bytes.push(0xfd);
      unsigned(this.#bytes, known(vector, name));
    }
    return this;
  }

  /** A vector's lane. */
  lane(name: string, number: number): this {
    this.#bytes.push(0xfd);
    unsigned(this.#bytes, known(lane, name));
    this.#bytes.push(number);
    return this;
  }

  /** i8x16.shuffle by these sixteen lanes. */
  shuffle(lanes: readonly number[]): this {
    this.#bytes.push(0xfd);
    unsigned(this.#bytes, 13);
    this.#bytes.push(...lanes);
    return this;
  }

  i32(value: number): this {
    this.#bytes.push(0x41);
    let rest = value | 0;
    for (; rest < -0x40 || rest >= 0x40; rest >>= 7) this.#bytes.push((rest & 0x7f) | 0x80);
    this.#bytes.push(rest & 0x7f);
    return this;
  }

  i64(value: bigint): this {
    this.#bytes.push(0x42);
    signed(this.#bytes, BigInt.asIntN(64, value));
    return this;
  }

  v128(value: bigint): this {
    this.#bytes.push(0xfd);
    unsigned(this.#bytes, 12);
    for (let at = 0n; at < 128n; at += 8n) this.#bytes.push(Number((value >> at) & 0xffn));
    return this;
  }

  get(local: number): this {
    return this.#indexed(0x20, local);
  }

  set(local: number): this {
    return this.#indexed(0x21, local);
  }

  tee(local: number): this {
    return this.#indexed(0x22, local);
  }

  getGlobal(index: number): this {
    return this.#indexed(0x23, index);
  }

  setGlobal(index: number): this {
    return this.#indexed(0x24, index);
  }

  /** A load or store, at a constant offset from the address on the stack. No alignment is promised. */
  access(name: string, offset = 0): this {
    if (name === 'v128.load' || name === 'v128.store') {
      this.#bytes.push(0xfd, name === 'v128.load' ? 0 : 11, 0);
    } else {
      const [opcode] = known(memory, name);
      this.#bytes.push(opcode, 0);
    }
    unsigned(this.#bytes, offset);
    return this;
  }

  /** memory.copy and memory.fill of memory 0. */
  bulk(name: 'copy' | 'fill'): this {
    this.#bytes.push(0xfc, ...(name === 'copy' ? [10, 0, 0] : [11, 0]));
    return this;
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex);
  }

  callIndirect(typeIndex: number): this {
    this.#indexed(0x11, typeIndex);
    this.#bytes.push(0);
    return this;
  }

  block(type?: ValueType): this {
    return this.#open(0x02, type);
  }

  loop(type?: ValueType): this {
    return this.#open(0x03, type);
  }

  if(type?: ValueType): this {
    return this.#open(0x04, type);
  }

  else(): this {
    this.#bytes.push(0x05);
    return this;
  }

  end(): this {
    this.#depth -= 1;
    this.#bytes.push(0x0b);
    return this;
  }

  /** To the block that was opened at this depth, if a condition is asked for and holds. */
  branch(depth: number, conditional = false): this {
    return this.#indexed(conditional ? 0x0d : 0x0c, this.#depth - depth - 1);
  }

  /** Branches by the number on the stack to the blocks opened at these depths; larger numbers to `otherwise`. */
  branchTable(depths: readonly number[], otherwise: number): this {
    this.#bytes.push(0x0e);
    unsigned(this.#bytes, depths.length);
    for (const depth of [...depths, otherwise]) unsigned(this.#bytes, this.#depth - depth - 1);
    return this;
  }

  /** What `write` appends comes in front of all that is there. It branches to nothing outside of itself. */
  prepend(write: () => void): void {
    const behind = this.#bytes.splice(0);
    write();
    for (const byte of behind) this.#bytes.push(byte);
  }

  /** The function's entry of the code section (5.4.1, 5.5.13). */
  encode(): number[] {
    const body: number[] = [];
    unsigned(body, this.#locals.length);
    for (const type of this.#locals) body.push(1, typeCode[type]);
    return [...body, ...this.#bytes, 0x0b];
  }

  #indexed(opcode: number, index: number): this {
    this.#bytes.push(opcode);
    unsigned(this.#bytes, index);
    return this;
  }

  #open(opcode: number, type: ValueType | undefined): this {
    this.#depth += 1;
    this.#bytes.push(opcode, type === undefined ? 0x40 : typeCode[type]);
    return this;
  }
}

function known<T>(names: ReadonlyMap<string, T>, name: string): T {
  const found = names.get(name);
  if (found === undefined) throw new Error(`WebAssembly has no instruction ${name}`);
  return found;
}
