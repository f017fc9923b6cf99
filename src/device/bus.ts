import type { AccessSize, Device } from './device.ts';

/** Ports or guest-physical memory, as an engine sees them. */
export interface AddressSpace {
  /** What is not there reads as ones. */
  read(address: number, size: AccessSize): number;
  write(address: number, size: AccessSize, value: number): void;
  /** @throws DelosError when another device is there */
  attach(address: number, length: number, device: Device): void;
}

export interface Bus {
  readonly ports: AddressSpace;
  readonly memory: AddressSpace;
}
