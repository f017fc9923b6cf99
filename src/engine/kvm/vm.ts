import fs from 'node:fs';
import {
  KVM_API_VERSION, KVM_CHECK_EXTENSION, KVM_CREATE_VCPU, KVM_CREATE_VM, KVM_ENABLE_CAP, KVM_GET_API_VERSION, KVM_GET_DIRTY_LOG, KVM_GET_VCPU_MMAP_SIZE,
  KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY, KVM_SET_USER_MEMORY_REGION, kvm_dirty_log, kvm_enable_cap, kvm_userspace_memory_region,
} from '../../abi/kvm.ts';
import { DelosError } from '../../lib/errors.ts';
import { put } from '../../lib/layout.ts';
import { addressOfBytes } from '../../sys/syscall.ts';
import { kvmCall, Vcpu } from './vcpu.ts';

const device = '/dev/kvm';

const refusals = new Map<string | undefined, string>([['ENOENT', 'this machine has no /dev/kvm'], ['EACCES', 'this user may not open /dev/kvm']]);

/** A piece of guest-physical memory that is backed by ours. */
export interface Slot {
  readonly guestAddress: number;
  /** Whole pages; must live as long as the machine. */
  readonly bytes: Uint8Array;
  readonly readOnly: boolean;
  readonly logDirtyPages: boolean;
}

/**
 * Opens /dev/kvm; the caller closes it.
 * @throws DelosError in one sentence: there is none, it may not be used, or it is of another version
 */
export function openKvm(): number {
  let fd: number;
  try {
    fd = fs.openSync(device, fs.constants.O_RDWR);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new DelosError('unsupported', refusals.get(code) ?? `/dev/kvm can't be opened: ${code}`, { cause: error });
  }
  try {
    const version = kvmCall('KVM_GET_API_VERSION', fd, KVM_GET_API_VERSION);
    if (version === KVM_API_VERSION) return fd;
    throw new DelosError('unsupported', `/dev/kvm speaks version ${version}, not ${KVM_API_VERSION}`);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Any signal interrupts it, a profiler's too. */
function createVm(device: number): number {
  for (;;) {
    try {
      return kvmCall('KVM_CREATE_VM', device, KVM_CREATE_VM);
    } catch (error) {
      if (!(error instanceof DelosError && error.detail.errno === 'EINTR')) throw error;
    }
  }
}

/** A virtual machine of the kernel: its memory slots and processors. What it made is released by {@link close}, in reverse order. */
export class Vm {
  readonly fd: number;
  readonly #kvm: number;
  readonly #slots: Slot[] = [];
  readonly #vcpus: Vcpu[] = [];

  /** @throws DelosError */
  constructor() {
    this.#kvm = openKvm();
    try {
      this.fd = createVm(this.#kvm);
    } catch (error) {
      fs.closeSync(this.#kvm);
      throw error;
    }
  }

  /** /dev/kvm itself. */
  get system(): number {
    return this.#kvm;
  }

  /** KVM_CHECK_EXTENSION: 0 when it has none of it. */
  extension(capability: number): number {
    return kvmCall('KVM_CHECK_EXTENSION', this.fd, KVM_CHECK_EXTENSION, capability);
  }

  /** KVM_ENABLE_CAP with its first argument. */
  enable(capability: number, argument: number): void {
    const request = new DataView(new ArrayBuffer(kvm_enable_cap.size));
    put(request, kvm_enable_cap.fields.cap.offset, 'u32', capability);
    put(request, kvm_enable_cap.fields.args.offset, 'u64', argument);
    kvmCall('KVM_ENABLE_CAP', this.fd, KVM_ENABLE_CAP, new Uint8Array(request.buffer));
  }

  /** Puts memory into the guest. @returns the slot's number, for {@link dirtyPages} and {@link removeSlot} */
  addSlot(slot: Slot): number {
    const number = this.#slots.length;
    this.#setSlot(number, slot, slot.bytes.length);
    this.#slots.push(slot);
    return number;
  }

  /** Takes it out again; the guest's accesses are then accesses to no memory. */
  removeSlot(number: number): void {
    this.#setSlot(number, this.#slot(number), 0);
  }

  /** Begins to keep, or keeps no more, which of the slot's pages the guest writes to. A read-only slot has none. */
  logDirtyPages(number: number, on: boolean): void {
    const slot = { ...this.#slot(number), logDirtyPages: on && !this.#slot(number).readOnly };
    this.#setSlot(number, slot, slot.bytes.length);
    this.#slots[number] = slot;
  }

  /** @param id the APIC's too, from 0 */
  addVcpu(id: number): Vcpu {
    const size = kvmCall('KVM_GET_VCPU_MMAP_SIZE', this.#kvm, KVM_GET_VCPU_MMAP_SIZE);
    const vcpu = new Vcpu(kvmCall('KVM_CREATE_VCPU', this.fd, KVM_CREATE_VCPU, id), size);
    this.#vcpus.push(vcpu);
    return vcpu;
  }

  /** Numbers of the pages, counted from the slot's first, that the guest wrote to since the last time it was asked. */
  *dirtyPages(number: number): Generator<number> {
    if (!this.#slot(number).logDirtyPages) return;
    const pages = this.#slot(number).bytes.length / 4096;
    const bitmap = new Uint32Array(Math.ceil(pages / 64) * 2);
    const request = new DataView(new ArrayBuffer(kvm_dirty_log.size));
    put(request, kvm_dirty_log.fields.slot.offset, 'u32', number);
    put(request, kvm_dirty_log.fields.dirty_bitmap.offset, 'u64', addressOfBytes(bitmap));
    kvmCall('KVM_GET_DIRTY_LOG', this.fd, KVM_GET_DIRTY_LOG, new Uint8Array(request.buffer));
    for (const [at, word] of bitmap.entries()) {
      for (let rest = word; rest !== 0; rest &= rest - 1) yield at * 32 + 31 - Math.clz32(rest & -rest);
    }
  }

  close(): void {
    for (const vcpu of this.#vcpus.toReversed()) vcpu.close();
    fs.closeSync(this.fd);
    fs.closeSync(this.#kvm);
  }

  #slot(number: number): Slot {
    const slot = this.#slots[number];
    if (slot === undefined) throw new Error(`assertion: no memory slot ${number}`);
    return slot;
  }

  #setSlot(number: number, { guestAddress, bytes, readOnly, logDirtyPages }: Slot, size: number): void {
    const region = new DataView(new ArrayBuffer(kvm_userspace_memory_region.size));
    const { slot, flags, guest_phys_addr, memory_size, userspace_addr } = kvm_userspace_memory_region.fields;
    put(region, slot.offset, 'u32', number);
    put(region, flags.offset, 'u32', (readOnly ? KVM_MEM_READONLY : 0) | (logDirtyPages ? KVM_MEM_LOG_DIRTY_PAGES : 0));
    put(region, guest_phys_addr.offset, 'u64', guestAddress);
    put(region, memory_size.offset, 'u64', size);
    put(region, userspace_addr.offset, 'u64', addressOfBytes(bytes));
    kvmCall('KVM_SET_USER_MEMORY_REGION', this.fd, KVM_SET_USER_MEMORY_REGION, new Uint8Array(region.buffer));
  }
}
