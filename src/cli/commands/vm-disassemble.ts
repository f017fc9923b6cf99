import fs from 'node:fs';
import { isElf } from '../../boot/elf.ts';
import { readElfCode, type CodeSection, type CodeSymbol, type ElfCode } from '../../boot/elf-code.ts';
import type { CodeSize } from '../../cpu/decode.ts';
import { listedLine, listing, namesOf, type ListedInstruction } from '../../cpu/disassemble/listing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';
import { address } from './westworld-guest.ts';
import type { vmDisassembleFlags } from './vm.ts';

type Flags = Values<typeof vmDisassembleFlags>;

/** Code to list: an ELF file's sections, or bytes of whatever else. */
type Code = Pick<ElfCode, 'sections' | 'symbols'> & { readonly codeSize: CodeSize };

const sizes: Readonly<Record<number, CodeSize>> = { 16: 16, 32: 32, 64: 64 };
/** Written at once, in characters. */
const CHUNK = 1 << 16;

/** `delos vm disassemble`: machine code as assembly. */
export async function run({ flags, positional: [file = '-'] }: Invocation<typeof vmDisassembleFlags, typeof globalFlags>): Promise<number> {
  const { sections, symbols, codeSize } = codeOf(read(file), flags);
  const lines = new Lines(flags.json, symbols);
  for (const { name, address: start, bytes } of sections) {
    if (name !== '') lines.section(name);
    for (const each of listing(bytes, start, codeSize)) {
      lines.instruction(each);
      if (lines.isFull) await lines.flush();
    }
  }
  await lines.flush();
  return 0;
}

function read(file: string): Uint8Array {
  try {
    return fs.readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** @throws DelosError bad-usage, bad-kernel */
function codeOf(bytes: Uint8Array, flags: Flags): Code {
  const wanted = flags.bits === undefined ? undefined : sizes[flags.bits];
  if (flags.bits !== undefined && wanted === undefined) throw new DelosError('bad-usage', `--bits: code has 16, 32 or 64 bits, not ${flags.bits}`);
  const isPart = flags.offset !== undefined || flags.length !== undefined;
  if (isElf(bytes) && !isPart) {
    if (flags.at !== undefined) throw new DelosError('bad-usage', '--at: an ELF file says itself where its code is; with --offset and --length its bytes are taken as they are');
    const elf = readElfCode(bytes);
    return { ...(flags.symbol === undefined ? elf : { ...elf, sections: [sectionOf(elf, flags.symbol)] }), codeSize: wanted ?? elf.codeSize };
  }
  if (flags.symbol !== undefined) throw new DelosError('bad-usage', '--symbol: only an ELF file has symbols');
  const start = flags.offset === undefined ? 0 : within(flags.offset, 'offset', bytes.length);
  const end = flags.length === undefined ? bytes.length : start + within(flags.length, 'length', bytes.length - start);
  return { sections: [{ name: '', address: address(flags.at ?? '0'), bytes: bytes.subarray(start, end) }], symbols: [], codeSize: wanted ?? 64 };
}

function within(text: string, flag: string, most: number): number {
  const value = Number(address(text));
  if (value > most) throw new DelosError('bad-usage', `--${flag}: ${text} is beyond the ${most} bytes that there are`);
  return value;
}

/** The bytes of one function. */
function sectionOf({ sections, symbols }: ElfCode, wanted: string): CodeSection {
  const symbol = symbols.find(({ name }) => name === wanted);
  const section = symbol && sections.find(({ address: start, bytes }) => symbol.address >= start && symbol.address < start + BigInt(bytes.length));
  if (symbol === undefined || section === undefined) throw new DelosError('bad-usage', `--symbol: the file has no code called ${wanted}`);
  const start = Number(symbol.address - section.address);
  const next = symbols.find(({ address: at }) => at > symbol.address)?.address;
  const size = symbol.size > 0 ? symbol.size : next === undefined ? section.bytes.length : Number(next - symbol.address);
  return { name: section.name, address: symbol.address, bytes: section.bytes.subarray(start, start + size) };
}

/** What is written, in pieces: a kernel's code has millions of lines. */
class Lines {
  readonly #json: boolean;
  readonly #nameOf: ReturnType<typeof namesOf>;
  readonly #places: ReadonlyMap<bigint, string>;
  #text = '';

  constructor(json: boolean, symbols: readonly CodeSymbol[]) {
    this.#json = json;
    this.#nameOf = namesOf(symbols);
    this.#places = new Map(symbols.map(({ address: at, name }) => [at, name]));
  }

  section(name: string): void {
    if (!this.#json) this.#write(`\nSection ${name}\n`);
  }

  instruction(each: ListedInstruction): void {
    const place = this.#places.get(each.address);
    if (this.#json) {
      const { address: at, bytes, prefixes, mnemonic, operands, text, target } = each;
      const shown = { address: `0x${at.toString(16)}`, bytes: Buffer.from(bytes).toString('hex'), prefixes, mnemonic, operands, text };
      this.#write(`${JSON.stringify({ ...shown, ...(target !== undefined && { target: `0x${target.toString(16)}` }), ...(place !== undefined && { symbol: place }) })}\n`);
      return;
    }
    if (place !== undefined) this.#write(`\n${each.address.toString(16)} <${place}>:\n`);
    this.#write(`${listedLine(each, this.#nameOf)}\n`);
  }

  #write(text: string): void {
    this.#text += text;
  }

  get isFull(): boolean {
    return this.#text.length >= CHUNK;
  }

  /** Waits for whoever reads, who may have read enough. */
  async flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  }
}
