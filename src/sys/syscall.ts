import { createRequire } from 'node:module';
import path from 'node:path';
import { errnoName } from '../abi/names.ts';
import { syscalls, type SyscallName } from '../abi/syscalls.ts';
import { buildFolder } from './build-folder.ts';

interface Native {
  syscall(number: number, ...args: (number | bigint | NodeJS.TypedArray)[]): number;
  boundIoctl(fd: number, request: number): () => number | undefined;
  address(buffer: NodeJS.TypedArray): bigint;
}

let loaded: Native | undefined;

function native(): Native {
  loaded ??= createRequire(path.join(buildFolder(), 'x'))('./sys.node') as Native;
  return loaded;
}

/** The kernel said no. `errno` is the name, `number` the value. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly call: SyscallName;
  readonly errno: string;
  readonly number: number;

  constructor(call: SyscallName, number: number) {
    super(`${call}: ${errnoName(number)}`);
    this.call = call;
    this.errno = errnoName(number);
    this.number = number;
  }
}

/**
 * One system call from this thread; nothing that can block.
 * @param args numbers, bigints, NUL-terminated strings, or typed arrays, which are passed by address
 * @throws SystemCallError
 */
export function syscall(name: SyscallName, ...args: (number | bigint | string | NodeJS.TypedArray)[]): number {
  const result = native().syscall(syscalls[name][0], ...args.map((arg) => (typeof arg === 'string' ? Buffer.from(`${arg}\0`) : arg)));
  if (result < 0) throw new SystemCallError(name, -result);
  return result;
}

/**
 * ioctl(2) for who makes many: the result, or minus the errno. It may block its thread (KVM_RUN does): that is the caller's intention.
 * @param argument a number, or bytes, which are passed by address; 0 when left out
 */
export function ioctl(fd: number, request: number, argument?: number | NodeJS.TypedArray): number {
  const { syscall: call } = loaded ?? native();
  return argument === undefined ? call(syscalls.ioctl[0], fd, request) : call(syscalls.ioctl[0], fd, request, argument);
}

/**
 * {@link ioctl} without an argument as a function, at the least cost that there is: KVM_RUN comes a hundred thousand times a second. It gives
 * undefined for 0.
 */
export function boundIoctl(fd: number, request: number): () => number | undefined {
  return native().boundIoctl(fd, request);
}

/** A system call whose refusal is no surprise: the result, or minus the errno. */
export function tryCall(name: SyscallName, ...args: (number | bigint | NodeJS.TypedArray)[]): number {
  return native().syscall(syscalls[name][0], ...args);
}

/** Where the bytes of a typed array are. Good while it is alive and not resized. */
export function addressOfBytes(bytes: NodeJS.TypedArray): bigint {
  return native().address(bytes);
}
