/**
 * A processor with VT-x, as far as the exercise's few instructions go: root and non-root mode, and what leads from one to the other.
 * What a guest runs is what src/westworld runs; what ends it, and what is told about it, is as in the SDM (volume 3, chapters 24 to 28).
 */

import type { KvmVcpu, Westworld } from '../hypervisor-sim.ts';
import { decode, LONGEST_INSTRUCTION, type Instruction } from '../instruction.ts';
import type { Mapping } from '../mapping.ts';
import { portQualification, reasonNumber, type ExitReason } from './exit-reasons.ts';
import {
  EXIT_INSTRUCTION_LENGTH, EXIT_QUALIFICATION, EXIT_REASON, GUEST_PHYSICAL_ADDRESS, GUEST_RFLAGS, GUEST_RIP, HOST_CR0, HOST_CR4, HOST_RIP, PRIMARY_PROC_CONTROLS,
} from './fields.ts';
import {
  ERROR_HOST_STATE, ERROR_VMLAUNCH_NOT_CLEAR, ERROR_VMPTRLD_REVISION, ERROR_VMRESUME_NOT_LAUNCHED, ERROR_VMXON_IN_ROOT, failInvalid, REVISION, succeed, type Outcome,
  type Vmcs,
} from './vmcs.ts';

/** An instruction that does not exist outside of VMX operation. */
export class InvalidOpcode extends Error {
  override readonly name = '#UD';
}

/** Bits of PRIMARY_PROC_CONTROLS (SDM volume 3, table 25-6). */
export const HLT_EXITING = 1n << 7n;
export const RDTSC_EXITING = 1n << 12n;
export const UNCONDITIONAL_IO_EXITING = 1n << 24n;

/** What VMX operation fixes to 1: PE, NE and PG in CR0, VMXE in CR4. */
export const HOST_CR0_FIXED = 0x8000_0021n;
export const HOST_CR4_FIXED = 1n << 13n;
const ENTRY_FAILED = 1n << 31n;
/** Bit 1 of RFLAGS is always 1; bit 17, virtual-8086 mode, is not for this guest. */
const RFLAGS_FIXED = 2n;
/** Of an EPT violation: what was tried, that there is a linear address, and that it was not the walk to it. */
const [READ, WRITE, LINEAR_VALID, FINAL_ACCESS] = [1n, 2n, 1n << 7n, 1n << 8n];

/** Instructions that end a guest whatever the controls say. Nobody handles the exceptions of the last three (VMMCALL is AMD's, and #UD on Intel). */
const always: Readonly<Partial<Record<Instruction['name'], ExitReason>>> = {
  cpuid: 'CPUID', vmcall: 'VMCALL', rdmsr: 'MSR_READ', wrmsr: 'MSR_WRITE', int3: 'TRIPLE_FAULT', ud2: 'TRIPLE_FAULT', vmmcall: 'TRIPLE_FAULT',
};
/** The host's own timer comes in between after so many instructions of the guest. */
const TIMER_INSTRUCTIONS = 10_000;

export class Vmx {
  /** General registers are the processor's: at an exit they still hold what the guest had in them. */
  readonly cpu: KvmVcpu;
  mode: 'off' | 'root' | 'non-root' = 'off';
  readonly #program: Westworld;
  readonly #memory: Mapping;
  #current: Vmcs | undefined;

  /** @param memory the guest's, from guest-physical address 0 */
  constructor(program: Westworld, cpu: KvmVcpu, memory: Mapping) {
    this.#program = program;
    this.cpu = cpu;
    this.#memory = memory;
  }

  vmxon(): Outcome {
    if (this.mode !== 'off') return this.#current?.fail(ERROR_VMXON_IN_ROOT) ?? failInvalid;
    this.mode = 'root';
    return succeed;
  }

  /** @throws InvalidOpcode, as all that follow do */
  vmxoff(): Outcome {
    this.#inRoot('VMXOFF');
    this.mode = 'off';
    this.#current = undefined;
    return succeed;
  }

  vmclear(vmcs: Vmcs): Outcome {
    this.#inRoot('VMCLEAR');
    vmcs.launch = 'clear';
    if (this.#current === vmcs) this.#current = undefined;
    return succeed;
  }

  vmptrld(vmcs: Vmcs): Outcome {
    this.#inRoot('VMPTRLD');
    if (vmcs.revision !== REVISION) return this.#current?.fail(ERROR_VMPTRLD_REVISION) ?? failInvalid;
    this.#current = vmcs;
    return succeed;
  }

  vmread(field: number): bigint | Outcome {
    this.#inRoot('VMREAD');
    return this.#current?.read(field) ?? failInvalid;
  }

  vmwrite(field: number, value: bigint): Outcome {
    this.#inRoot('VMWRITE');
    return this.#current?.write(field, value) ?? failInvalid;
  }

  /** Enters for the first time. `succeed` means that there was an exit since, and EXIT_REASON says which. */
  vmlaunch(): Outcome {
    this.#inRoot('VMLAUNCH');
    if (this.#current === undefined) return failInvalid;
    return this.#current.launch === 'clear' ? this.#enter(this.#current) : this.#current.fail(ERROR_VMLAUNCH_NOT_CLEAR);
  }

  /** Enters again. */
  vmresume(): Outcome {
    this.#inRoot('VMRESUME');
    if (this.#current === undefined) return failInvalid;
    return this.#current.launch === 'launched' ? this.#enter(this.#current) : this.#current.fail(ERROR_VMRESUME_NOT_LAUNCHED);
  }

  #inRoot(instruction: string): void {
    if (this.mode !== 'root') throw new InvalidOpcode(`${instruction} ${this.mode === 'off' ? 'before VMXON' : 'by a guest'}`);
  }

  #enter(vmcs: Vmcs): Outcome {
    if ((vmcs.get(HOST_CR0) & HOST_CR0_FIXED) !== HOST_CR0_FIXED || (vmcs.get(HOST_CR4) & HOST_CR4_FIXED) === 0n) return vmcs.fail(ERROR_HOST_STATE);
    if ((vmcs.get(GUEST_RFLAGS) & RFLAGS_FIXED) === 0n) {
      this.#leave(vmcs, ENTRY_FAILED | BigInt(reasonNumber('INVALID_GUEST_STATE')));
      return succeed;
    }
    vmcs.launch = 'launched';
    this.mode = 'non-root';
    this.cpu.regs.rip = vmcs.get(GUEST_RIP);
    this.cpu.regs.rflags = vmcs.get(GUEST_RFLAGS);
    for (let instructions = 0; this.#step(vmcs, instructions); instructions++) continue;
    return succeed;
  }

  /** One instruction of the guest. @returns whether it goes on */
  #step(vmcs: Vmcs, before: number): boolean {
    if (before === TIMER_INSTRUCTIONS) return this.#exit(vmcs, 'EXTERNAL_INTERRUPT', 0);
    const { rip } = this.cpu.regs;
    const left = rip < this.#memory.size ? Math.min(LONGEST_INSTRUCTION, Number(this.#memory.size - rip)) : 0;
    const code = this.#memory.bytes(left === 0 ? 0n : rip, left);
    const instruction = decode(code);
    // To fetch where no memory is violates EPT too; an unknown instruction is #UD, and without a handler a triple fault.
    if (instruction === 'truncated') return this.#violation(vmcs, rip + BigInt(left), READ, 0);
    if (instruction === 'unknown') return this.#exit(vmcs, 'TRIPLE_FAULT', 0);
    const { name, length, operand } = instruction;
    const outside = (name === 'load al' || name === 'store al') && BigInt(operand) >= this.#memory.size;
    if (outside) return this.#violation(vmcs, BigInt(operand), name === 'store al' ? WRITE : READ, length);
    const reason = always[name] ?? this.#wanted(vmcs, name);
    if (reason !== undefined) return this.#exit(vmcs, reason, length, this.#qualification(name));
    this.#program.emulate_instruction(this.cpu, code);
    return true;
  }

  /** The exits that the controls ask for. Without them HLT and ports do what they do on this model's bare processor: nothing. */
  #wanted(vmcs: Vmcs, name: Instruction['name']): ExitReason | undefined {
    const isSet = (control: bigint): boolean => (vmcs.get(PRIMARY_PROC_CONTROLS) & control) !== 0n;
    if (name === 'hlt' && isSet(HLT_EXITING)) return 'HLT';
    if (name === 'rdtsc' && isSet(RDTSC_EXITING)) return 'RDTSC';
    return (name === 'in' || name === 'out') && isSet(UNCONDITIONAL_IO_EXITING) ? 'IO_INSTRUCTION' : undefined;
  }

  #qualification(name: Instruction['name']): bigint {
    if (name !== 'in' && name !== 'out') return 0n;
    return portQualification({ size: 1, isIn: name === 'in', isString: false, isRepeated: false, port: Number(this.cpu.regs.rdx & 0xffffn) });
  }

  #violation(vmcs: Vmcs, address: bigint, access: bigint, length: number): false {
    vmcs.set(GUEST_PHYSICAL_ADDRESS, address);
    return this.#exit(vmcs, 'EPT_VIOLATION', length, access | LINEAR_VALID | FINAL_ACCESS);
  }

  /** Leaves with RIP at the instruction: it has not happened, and whoever does it instead moves RIP on. */
  #exit(vmcs: Vmcs, reason: ExitReason, length: number, qualification = 0n): false {
    vmcs.set(EXIT_QUALIFICATION, qualification);
    vmcs.set(EXIT_INSTRUCTION_LENGTH, BigInt(length));
    vmcs.set(GUEST_RIP, this.cpu.regs.rip);
    vmcs.set(GUEST_RFLAGS, this.cpu.regs.rflags);
    this.#leave(vmcs, BigInt(reasonNumber(reason)));
    return false;
  }

  #leave(vmcs: Vmcs, reason: bigint): void {
    vmcs.set(EXIT_REASON, reason);
    this.mode = 'root';
    this.cpu.regs.rip = vmcs.get(HOST_RIP);
    this.cpu.regs.rflags = RFLAGS_FIXED;
  }
}
