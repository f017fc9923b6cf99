import type { KvmRegs } from '../hypervisor-sim.ts';
import { cpuidOf } from '../processor.ts';
import { exitOf, portAccess } from './exit-reasons.ts';
import { EXIT_INSTRUCTION_LENGTH, EXIT_QUALIFICATION, EXIT_REASON, GUEST_RIP } from './fields.ts';
import type { Vmx } from './vmx.ts';

/** What comes after an exit. */
export type Handled =
  | { readonly kind: 'continue' }
  | { readonly kind: 'halt' }
  /** A triple fault, or a state that the processor refuses. */
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'unhandled'; readonly reason: number };

/** -KVM_ENOSYS. */
const NO_SUCH_HYPERCALL = BigInt.asUintN(64, -1000n);
const NOTHING = 0xffn;
const WRITE = 2n;

/** What the host has for its guest. */
export interface Machine {
  readPort(port: number): number;
  writePort(port: number, value: number): void;
  /** Model-specific registers by number; one that is not here is #GP. */
  readonly msrs: Map<number, bigint>;
}

/** Does what a guest wanted when it left, and moves its RIP behind the instruction. HLT too: else it would halt for ever. */
export function handleExit(vmx: Vmx, machine: Machine): Handled {
  const { name, basic, entryFailed } = exitOf(Number(field(vmx, EXIT_REASON)));
  const { regs } = vmx.cpu;
  const setAl = (value: bigint): void => void (regs.rax = (regs.rax & ~0xffn) | (value & 0xffn));
  if (entryFailed || name === 'TRIPLE_FAULT') return { kind: 'shutdown' };
  const qualification = field(vmx, EXIT_QUALIFICATION);
  switch (name) {
    case 'HLT':
      advance(vmx);
      return { kind: 'halt' };
    case 'IO_INSTRUCTION': {
      const { isIn, port } = portAccess(qualification);
      if (isIn) setAl(BigInt(machine.readPort(port)));
      else machine.writePort(port, Number(regs.rax & 0xffn));
      break;
    }
    case 'EXTERNAL_INTERRUPT':
      // The host's, and it has had it: the guest goes on where it was.
      return { kind: 'continue' };
    case 'MSR_READ': case 'MSR_WRITE':
      if (!accessMsr(machine.msrs, regs, name === 'MSR_WRITE')) return { kind: 'shutdown' };
      break;
    case 'CPUID':
      [regs.rax, regs.rbx, regs.rcx, regs.rdx] = cpuidOf(Number(BigInt.asUintN(32, regs.rax))).map(BigInt) as [bigint, bigint, bigint, bigint];
      break;
    case 'VMCALL':
      regs.rax = NO_SUCH_HYPERCALL;
      break;
    case 'EPT_VIOLATION':
      // Without a length it was the fetch: there is nothing to move behind.
      if (field(vmx, EXIT_INSTRUCTION_LENGTH) === 0n) return { kind: 'unhandled', reason: basic };
      if ((qualification & WRITE) === 0n) setAl(NOTHING);
      break;
    default:
      return { kind: 'unhandled', reason: basic };
  }
  advance(vmx);
  return { kind: 'continue' };
}

/** ECX names it, EDX and EAX are its halves. @returns false for one that there is not: #GP, which no guest here handles */
function accessMsr(msrs: Map<number, bigint>, regs: KvmRegs, isWrite: boolean): boolean {
  const number = Number(BigInt.asUintN(32, regs.rcx));
  const value = msrs.get(number);
  if (value === undefined) return false;
  if (isWrite) {
    msrs.set(number, (BigInt.asUintN(32, regs.rdx) << 32n) | BigInt.asUintN(32, regs.rax));
  } else {
    regs.rax = BigInt.asUintN(32, value);
    regs.rdx = value >> 32n;
  }
  return true;
}

function advance(vmx: Vmx): void {
  vmx.vmwrite(GUEST_RIP, field(vmx, GUEST_RIP) + field(vmx, EXIT_INSTRUCTION_LENGTH));
}

function field(vmx: Vmx, encoding: number): bigint {
  const value = vmx.vmread(encoding);
  if (typeof value === 'bigint') return value;
  throw new Error(`assertion: an exit without a VMCS, or without field 0x${encoding.toString(16)}`);
}
