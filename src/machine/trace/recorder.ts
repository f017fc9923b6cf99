import type { AddressSpace } from '../../device/bus.ts';
import type { AccessSize, Device } from '../../device/device.ts';
import { kindOfKvm, type ExitKind, type MachineExit } from './exit.ts';

export const nanoseconds = (): number => performance.now() * 1e6;

/** Takes what is known of exits together. On KVM one is open from when the guest was left until it goes on; else each access is one. */
export class ExitRecorder {
  readonly #sink: (exit: MachineExit) => void;
  readonly #byExits: boolean;
  #open: { readonly reason: string; readonly begun: number } | undefined;
  #first: Omit<MachineExit, 'nanoseconds' | 'kind'> | undefined;
  #write: boolean | undefined;
  #accesses = 0;

  /** @param byExits the engine tells when the guest is left and goes on */
  constructor(sink: (exit: MachineExit) => void, byExits: boolean) {
    this.#sink = sink;
    this.#byExits = byExits;
  }

  left(reason: string): void {
    this.settle();
    this.#open = { reason, begun: nanoseconds() };
  }

  /** The guest goes on: what was open is whole. */
  settle(): void {
    const open = this.#open;
    if (open === undefined) return;
    const { reason, begun } = open;
    const details = this.#first === undefined ? {} : { ...this.#first, count: this.#accesses };
    this.#sink({ kind: kindOfKvm(reason, this.#write), reason, ...details, nanoseconds: nanoseconds() - begun });
    this.#open = undefined;
    this.#first = undefined;
    this.#write = undefined;
    this.#accesses = 0;
  }

  /** Something is asked for. @param kind of the exit, where each access is one */
  asked(kind: ExitKind, write: boolean | undefined, details: Omit<MachineExit, 'nanoseconds' | 'kind'>, took: number): void {
    if (!this.#byExits) {
      this.#sink({ kind, ...details, nanoseconds: took });
      return;
    }
    if (this.#open === undefined) return;
    this.#first ??= details;
    this.#write ??= write;
    this.#accesses++;
  }
}

/** Ports or memory whose accesses are recorded; all else is as it was. */
export class RecordedSpace implements AddressSpace {
  readonly #inner: AddressSpace;
  readonly #recorder: ExitRecorder;
  readonly #kinds: readonly [read: ExitKind, write: ExitKind];
  /** The device of the access that is being done. */
  #device: string | undefined;
  trace: AddressSpace['trace'] = undefined;

  constructor(inner: AddressSpace, recorder: ExitRecorder, kinds: readonly [read: ExitKind, write: ExitKind]) {
    this.#inner = inner;
    this.#recorder = recorder;
    this.#kinds = kinds;
    const before = inner.trace;
    inner.trace = (...access) => {
      before?.(...access);
      this.#device = access[4];
      this.trace?.(...access);
    };
  }

  read(address: number, size: AccessSize): number {
    const begun = nanoseconds();
    const value = this.#inner.read(address, size);
    this.#done(0, address, size, value, nanoseconds() - begun);
    return value;
  }

  write(address: number, size: AccessSize, value: number): void {
    const begun = nanoseconds();
    this.#inner.write(address, size, value);
    this.#done(1, address, size, value, nanoseconds() - begun);
  }

  attach(address: number, length: number, device: Device): void {
    this.#inner.attach(address, length, device);
  }

  #done(write: 0 | 1, address: number, size: AccessSize, value: number, took: number): void {
    const device = this.#device;
    this.#recorder.asked(this.#kinds[write], write === 1, { address, size, value: BigInt(value >>> 0), ...(device !== undefined && { device }) }, took);
  }
}
