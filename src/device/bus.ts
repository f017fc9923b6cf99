/** Ports and guest-physical memory: which device an access goes to, and how one that a device can't take is taken apart. */

import { DelosError } from '../lib/errors.ts';
import type { AccessSize, Device } from './device.ts';

/** Sees every access, after it was done. `device` is the name of the one at the first byte, undefined when nothing is there. */
export type AccessTrace = (write: boolean, address: number, size: AccessSize, value: number, device: string | undefined) => void;

/** Ports or guest-physical memory, as an engine sees them. */
export interface AddressSpace {
  /** What is not there reads as ones. */
  read(address: number, size: AccessSize): number;
  write(address: number, size: AccessSize, value: number): void;
  /** @throws DelosError `bad-machine` when another device is there, or the range is not in the space */
  attach(address: number, length: number, device: Device): void;
  trace: AccessTrace | undefined;
}

export interface Bus {
  readonly ports: AddressSpace;
  readonly memory: AddressSpace;
}

/** An empty bus: 65536 ports, 2^52 bytes of memory. */
export function createBus(): Bus {
  return { ports: new PortSpace(), memory: new MemorySpace() };
}

interface Range {
  readonly start: number;
  /** The first address behind it. */
  readonly end: number;
  readonly width: AccessSize;
  readonly device: Device;
}

/** Where no device is: ones, and whatever is written is lost. Its width has every access there looked at byte by byte. */
const nothing: Range = { start: 0, end: Infinity, width: 1, device: { name: 'nothing', read: () => 0xff, write: () => undefined } };

const half = { 2: 1, 4: 2 } as const;

abstract class Space implements AddressSpace {
  trace: AccessTrace | undefined = undefined;

  /** The range of an address; {@link nothing} where no device is. */
  protected abstract find(address: number): Range;
  abstract attach(address: number, length: number, device: Device): void;

  read(address: number, size: AccessSize): number {
    const value = this.#read(address, size);
    if (this.trace !== undefined) this.trace(false, address, size, value, this.#nameAt(address));
    return value;
  }

  write(address: number, size: AccessSize, value: number): void {
    this.#write(address, size, value);
    if (this.trace !== undefined) this.trace(true, address, size, value, this.#nameAt(address));
  }

  #read(address: number, size: AccessSize): number {
    const range = this.find(address);
    if (size === 1) return range.device.read(address - range.start, 1) & 0xff;
    if (takes(range, address, size)) {
      const value = range.device.read(address - range.start, size);
      return size === 2 ? value & 0xffff : value >>> 0;
    }
    const part = half[size];
    return (this.#read(address, part) | (this.#read(address + part, part) << (8 * part))) >>> 0;
  }

  #write(address: number, size: AccessSize, value: number): void {
    const range = this.find(address);
    if (size === 1) {
      range.device.write(address - range.start, 1, value & 0xff);
    } else if (takes(range, address, size)) {
      range.device.write(address - range.start, size, size === 2 ? value & 0xffff : value >>> 0);
    } else {
      const part = half[size];
      this.#write(address, part, value);
      this.#write(address + part, part, value >>> (8 * part));
    }
  }

  #nameAt(address: number): string | undefined {
    const range = this.find(address);
    return range === nothing ? undefined : range.device.name;
  }
}

function takes(range: Range, address: number, size: AccessSize): boolean {
  return size <= range.width && address % size === 0 && address + size <= range.end;
}

function newRange(address: number, length: number, limit: number, device: Device): Range {
  const end = address + length;
  const inside = Number.isSafeInteger(address) && address >= 0 && length >= 1 && end <= limit;
  if (!inside) throw new DelosError('bad-machine', `${device.name} can't be at ${place(address, end)}: the space ends at 0x${limit.toString(16)}`);
  return { start: address, end, width: device.width ?? 1, device };
}

function overlap(range: Range, other: Range): DelosError {
  const at = (one: Range): string => place(one.start, one.end);
  return new DelosError('bad-machine', `${range.device.name} can't be at ${at(range)}: ${other.device.name} is at ${at(other)}`);
}

function place(start: number, end: number): string {
  return `0x${start.toString(16)}-0x${(end - 1).toString(16)}`;
}

const PORTS = 0x10000;

/** A table has for every port the index of its range. */
class PortSpace extends Space {
  readonly #ranges: Range[] = [nothing];
  readonly #indices = new Uint16Array(PORTS);

  protected override find(port: number): Range {
    return this.#ranges[this.#indices[port] ?? 0] ?? nothing;
  }

  override attach(port: number, length: number, device: Device): void {
    const range = newRange(port, length, PORTS, device);
    const index = this.#indices.subarray(port, port + length).find((one) => one !== 0);
    if (index !== undefined) throw overlap(range, this.#ranges[index] as Range);
    this.#indices.fill(this.#ranges.push(range) - 1, port, port + length);
  }
}

const MEMORY = 2 ** 52;

/** Ranges in the order of their addresses; the one of the last access is tried first. */
class MemorySpace extends Space {
  readonly #ranges: Range[] = [];
  #last = nothing;

  protected override find(address: number): Range {
    const last = this.#last;
    if (last !== nothing && address >= last.start && address < last.end) return last;
    const range = this.#ranges[this.#before(address)];
    if (range === undefined || address >= range.end) return nothing;
    this.#last = range;
    return range;
  }

  /** The index of the last range that starts at `address` or below it; -1 when there is none. */
  #before(address: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as Range).start <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  override attach(address: number, length: number, device: Device): void {
    const range = newRange(address, length, MEMORY, device);
    const at = this.#before(address);
    for (const other of [this.#ranges[at], this.#ranges[at + 1]]) {
      if (other !== undefined && range.start < other.end && other.start < range.end) throw overlap(range, other);
    }
    this.#ranges.splice(at + 1, 0, range);
  }
}
