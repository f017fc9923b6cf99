/** `struct seccomp_data` of <linux/seccomp.h>: what a filter sees of a system call. */
export const dataOffset = { nr: 0, arch: 4, instructionPointer: 8, args: 16 } as const;

/** Bytes of the struct. */
export const seccompDataSize = 64;

/** Offset of the low 32 bits of an argument (0 to 5). */
export function lowWord(argument: number): number {
  return dataOffset.args + argument * 8;
}

/** Offset of the high 32 bits of an argument (0 to 5). */
export function highWord(argument: number): number {
  return lowWord(argument) + 4;
}

/**
 * The bytes of one system call, for running a filter on it.
 * @param nr number, with X32_SYSCALL_BIT for x32; 0 to 2^32 - 1
 * @param arch AUDIT_ARCH_...
 * @param args up to six, 0 to 2^64 - 1; the rest is 0
 */
export function seccompData(nr: number, arch: number, args: readonly bigint[] = []): Uint8Array {
  const bytes = new Uint8Array(seccompDataSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(dataOffset.nr, nr, true);
  view.setUint32(dataOffset.arch, arch, true);
  args.forEach((value, argument) => view.setBigUint64(lowWord(argument), value, true));
  return bytes;
}
