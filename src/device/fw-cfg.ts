/**
 * QEMU's firmware configuration device, through which SeaBIOS gets memory map, ACPI tables, kernels: selector at port 510h, data at 511h, DMA at
 * 514h. The interface is QEMU's docs/specs/fw_cfg.
 */

import { DelosError } from '../lib/errors.ts';
import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { AccessSize, Device, DirectMemory, Stateful } from './device.ts';

export const FW_CFG_PORT = 0x510;
export const FW_CFG_LENGTH = 12;

/** Items that have a number of their own. */
export const FW_CFG_SIGNATURE = 0x00;
export const FW_CFG_ID = 0x01;
export const FW_CFG_RAM_SIZE = 0x03;
export const FW_CFG_CPUS = 0x05;
export const FW_CFG_MAX_CPUS = 0x0f;
export const FW_CFG_DIRECTORY = 0x19;
/** Of a PC: whether IRQ 0 comes in at another pin of the IOAPIC than 0. */
export const FW_CFG_IRQ0_OVERRIDE = 0x8002;
/** Items with a name only are numbered from here on. */
const FIRST_FILE = 0x20;

/** The traditional interface and DMA. */
const FEATURES = 0b11;
const DMA_SIGNATURE = [0x51454d55, 0x20434647] as const;

const SELECTOR = 0;
const DATA = 1;
const DMA = 4;

const DMA_ERROR = 1 << 0;
const DMA_READ = 1 << 1;
const DMA_SKIP = 1 << 2;
const DMA_SELECT = 1 << 3;
const DMA_WRITE = 1 << 4;

const NAME_LENGTH = 56;
const ENTRY_LENGTH = 64;

const layout = struct('fw_cfg', { position: 'u32', dmaHigh: 'u32', key: 'u16' });

/** An item by its number. */
export type FwCfgItems = Readonly<Record<number, Uint8Array>>;
/** An item by its name, such as "etc/e820". */
export type FwCfgFiles = Readonly<Record<string, Uint8Array>>;

/** What the guest can ask for is no state: a restored machine is made with the same {@link FwCfg.items}. */
export class FwCfg implements Device, Stateful {
  readonly name = 'fw_cfg';
  readonly width = 4;
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #items = new Map<number, Uint8Array>();
  readonly #memory: DirectMemory;

  /** @param items also in the place of others: of files, of the directory. @throws DelosError `bad-machine` for a name that is too long */
  constructor(memory: DirectMemory, items: FwCfgItems = {}, files: FwCfgFiles = {}) {
    this.#memory = memory;
    this.#items.set(FW_CFG_SIGNATURE, Uint8Array.from([0x51, 0x45, 0x4d, 0x55]));
    this.#items.set(FW_CFG_ID, Uint8Array.of(FEATURES, 0, 0, 0));
    const names = Object.keys(files).sort();
    names.forEach((name, at) => this.#items.set(FIRST_FILE + at, files[name] as Uint8Array));
    this.#items.set(FW_CFG_DIRECTORY, directory(names.map((name) => [name, (files[name] as Uint8Array).length])));
    for (const [key, bytes] of Object.entries(items)) this.#items.set(Number(key), bytes);
  }

  /** All that the guest can ask for, by number; what another device is made with that is to have the same. */
  get items(): ReadonlyMap<number, Uint8Array> {
    return this.#items;
  }

  read(offset: number, size: AccessSize): number {
    if (offset === DATA && size === 1) return this.#next();
    if (offset === DMA && size === 4) return swap(DMA_SIGNATURE[0]);
    if (offset === DMA + 4 && size === 4) return swap(DMA_SIGNATURE[1]);
    return 0;
  }

  /** The DMA address is written big endian, its lower half last, which starts the transfer. */
  write(offset: number, size: AccessSize, value: number): void {
    if (offset === SELECTOR && size === 2) this.#select(value);
    if (size !== 4) return;
    if (offset === DMA) this.#registers.dmaHigh = swap(value);
    if (offset !== DMA + 4) return;
    this.#transfer(this.#registers.dmaHigh * 2 ** 32 + swap(value));
    this.#registers.dmaHigh = 0;
  }

  restored(): void {}

  #select(key: number): void {
    this.#registers.key = key;
    this.#registers.position = 0;
  }

  /** Behind an item's end, and where there is none, are zeros. */
  #next(): number {
    const registers = this.#registers;
    const byte = this.#items.get(registers.key)?.[registers.position];
    if (byte !== undefined) registers.position++;
    return byte ?? 0;
  }

  /** A FWCfgDmaAccess: control, length, address, all big endian. Its control is 0 when it is done, or the error bit. */
  #transfer(at: number): void {
    const access = this.#bytes(at, 16);
    if (access === undefined) return;
    const view = new DataView(access.buffer, access.byteOffset, 16);
    const control = view.getUint32(0);
    if ((control & DMA_SELECT) !== 0) this.#select(control >>> 16);
    view.setUint32(0, this.#perform(control, view.getUint32(4), Number(view.getBigUint64(8))) ? 0 : DMA_ERROR);
  }

  /** False when it can't be done: items are not written, and the guest's memory may not be there. */
  #perform(control: number, length: number, address: number): boolean {
    const registers = this.#registers;
    const item = this.#items.get(registers.key);
    const end = Math.min(registers.position + length, item?.length ?? 0);
    if ((control & DMA_READ) !== 0) {
      const target = this.#bytes(address, length);
      if (target === undefined) return false;
      const part = item?.subarray(registers.position, end) ?? new Uint8Array();
      target.set(part);
      target.fill(0, part.length);
    } else if ((control & DMA_WRITE) !== 0) {
      return false;
    } else if ((control & DMA_SKIP) === 0) {
      return true;
    }
    registers.position = Math.max(registers.position, end);
    return true;
  }

  #bytes(address: number, length: number): Uint8Array | undefined {
    try {
      return this.#memory.bytes(address, length);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
}

/** The directory's item: how many, then of each size, number and name. */
function directory(files: readonly (readonly [name: string, size: number])[]): Uint8Array {
  const bytes = new Uint8Array(4 + ENTRY_LENGTH * files.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, files.length);
  files.forEach(([name, size], index) => {
    const at = 4 + ENTRY_LENGTH * index;
    const encoded = new TextEncoder().encode(name);
    if (encoded.length >= NAME_LENGTH) throw new DelosError('bad-machine', `the firmware's item ${name} has a name of more than ${NAME_LENGTH - 1} bytes`);
    view.setUint32(at, size);
    view.setUint16(at + 4, FIRST_FILE + index);
    bytes.set(encoded, at + 8);
  });
  return bytes;
}

/** A word of the other byte order. */
function swap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}
