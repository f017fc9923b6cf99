import fs from 'node:fs';
import { KVM_RUN, kvm_run_io } from '../../abi/kvm.ts';
import { DelosError } from '../../lib/errors.ts';
import { errnoName } from '../../abi/names.ts';
import { align } from '../../lib/layout.ts';
import { mapOver, unmapOver } from '../../sys/mapping.ts';
import { boundIoctl, ioctl } from '../../sys/syscall.ts';

const wasmPage = 65536;
const reasonAt = kvm_run_io.fields.exit_reason.offset;

/**
 * An ioctl of KVM that is expected to work.
 * @param name the request's, for the message
 * @throws DelosError
 */
export function kvmCall(name: string, fd: number, request: number, argument: number | NodeJS.TypedArray = 0): number {
  const result = ioctl(fd, request, argument);
  if (result >= 0) return result;
  const errno = errnoName(-result);
  throw new DelosError('kernel-refused', `${name}: ${errno}`, { call: 'ioctl', errno });
}

/** One virtual processor and its struct kvm_run, which is shared with the kernel and may be with other threads. */
export class Vcpu {
  readonly fd: number;
  /** The whole of kvm_run's mapping. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly #mapped: Uint8Array;
  readonly #run: () => number | undefined;

  /**
   * @param fd the processor's, as KVM_CREATE_VCPU gave it; closed by {@link close}, and when this throws
   * @param mapSize KVM_GET_VCPU_MMAP_SIZE
   */
  constructor(fd: number, mapSize: number) {
    this.fd = fd;
    this.#run = boundIoctl(fd, KVM_RUN);
    const pages = align(mapSize, wasmPage) / wasmPage;
    // A WebAssembly.Memory, as it is the one buffer whose place in memory is whole pages and stays.
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#mapped = new Uint8Array(buffer, 0, mapSize);
    try {
      mapOver(this.#mapped, { fd, offset: 0, private: false });
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    this.bytes = this.#mapped;
    this.view = new DataView(buffer, 0, mapSize);
  }

  /** KVM_RUN: 0, or minus an errno. Blocks. */
  enter(): number {
    return this.#run() ?? 0;
  }

  get exitReason(): number {
    return this.view.getUint32(reasonAt, true);
  }

  close(): void {
    unmapOver(this.#mapped);
    fs.closeSync(this.fd);
  }
}
