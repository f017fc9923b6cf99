/** Which of the three ABIs of an x86-64 machine a profile speaks of, and what a filter sees of them. <linux/audit.h>, libseccomp's names. */
import type { Abi } from '../abi/syscall-numbers.ts';
import { unexpected } from './invalid.ts';

/** `seccomp_data.arch` of x86-64 and of x32, which differ in the number only (X32_SYSCALL_BIT). */
export const AUDIT_ARCH_X86_64 = 0xc000_003e;
export const AUDIT_ARCH_I386 = 0x4000_0003;

const own: Readonly<Record<string, Abi>> = {
  SCMP_ARCH_NATIVE: 'x86_64',
  SCMP_ARCH_X86_64: 'x86_64',
  SCMP_ARCH_X86: 'i386',
  SCMP_ARCH_X32: 'x32',
};

/** Architectures of other machines: a profile may list them, no system call here can ever come from one. */
const foreign: ReadonlySet<string> = new Set([
  'ARM', 'AARCH64', 'MIPS', 'MIPS64', 'MIPS64N32', 'MIPSEL', 'MIPSEL64', 'MIPSEL64N32', 'PPC', 'PPC64', 'PPC64LE', 'S390', 'S390X',
  'PARISC', 'PARISC64', 'RISCV32', 'RISCV64', 'LOONGARCH64', 'M68K', 'SH', 'SHEB',
].map((name) => `SCMP_ARCH_${name}`));

/**
 * The ABIs that the filter serves. x86-64 is always among them, as with libseccomp: the filter is installed by an x86-64 program.
 * @throws DelosError bad-config for a name that is no architecture
 */
export function parseArchitectures(names: readonly string[]): ReadonlySet<Abi> {
  const abis = new Set<Abi>(['x86_64']);
  names.forEach((name, index) => {
    const abi = Object.hasOwn(own, name) ? own[name] : undefined;
    if (abi) abis.add(abi);
    else if (!foreign.has(name)) throw unexpected(['architectures', index], 'an architecture such as SCMP_ARCH_X86_64', name);
  });
  return abis;
}
