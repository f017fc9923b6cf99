import { exitName } from './exit-name.ts';
import { KVM_EXIT_HLT, KVM_EXIT_IO } from './hypervisor-sim.ts';
import type { KvmVcpu } from './hypervisor-sim.ts';
import { characterOf, decode, textOf, type Instruction } from './instruction.ts';
import { BOOT_ADDRESS } from './kvm.ts';
import { limitSteps } from './limit-steps.ts';
import { link } from './link.ts';

/** One line of the document's trace table (section 5.7). RIP and RAX are those after it; without them it is none of the guest's. */
export interface Step {
  readonly instruction: string;
  readonly action: string;
  readonly rip?: bigint;
  readonly rax?: bigint;
  /** Of a VM exit, without its prefix KVM_EXIT_. */
  readonly exit?: string;
}

export interface Trace {
  readonly steps: readonly Step[];
  readonly output: string;
  readonly exits: number;
  /** As of dolores_wakes_up. */
  readonly result: number;
}

/** A guest that goes round for ever is not followed further. */
const MOST_STEPS = 1000;

/**
 * Runs a guest of 1 MB and writes down every instruction.
 * @throws RangeError when the code does not fit at the address
 */
export function trace(code: Uint8Array, addr = BOOT_ADDRESS): Trace {
  const steps: Step[] = [];
  let output = '';
  const program = link({}, { write: () => undefined });
  program.putchar = (byte) => void (output += String.fromCharCode(byte));
  limitSteps(program, MOST_STEPS);
  const { emulate_instruction } = program;
  program.emulate_instruction = (vcpu, bytes) => {
    if (steps.length === 0) steps.push({ instruction: 'kvm_run() begins', rip: vcpu.regs.rip, rax: vcpu.regs.rax, action: 'the guest runs' });
    const from = vcpu.regs.rip;
    const result = emulate_instruction.call(program, vcpu, bytes);
    steps.push(stepOf(decode(bytes), from, vcpu, result));
    return result;
  };
  const host = program.ford_creates_host(1);
  if (program.ford_implants_memories(host, code, addr) < 0) throw new RangeError(`${code.length} bytes do not fit at 0x${addr.toString(16)}`);
  const result = program.dolores_wakes_up(host);
  if (host?.conscious === false) steps.push({ instruction: 'host->conscious = false', action: 'the loop ends' });
  program.ford_retires_host(host);
  return { steps, output, exits: steps.filter(({ exit }) => exit !== undefined).length, result };
}

function stepOf(decoded: Instruction | string, from: bigint, { regs: { rip, rax }, kvm_run }: KvmVcpu, result: number): Step {
  const instruction = typeof decoded === 'string' ? `(${decoded})` : textOf(decoded, from);
  if (result === 0) return { instruction, rip, rax, action: changeOf(decoded, rax) };
  const exit = exitName(kvm_run.exit_reason);
  const more = kvm_run.exit_reason === KVM_EXIT_IO ? `: port 0x${kvm_run.io.port.toString(16)}, ${characterOf(Number(rax & 0xffn))}` : '';
  return { instruction, rip, rax, exit, action: `VM exit (${exit})${more}${kvm_run.exit_reason === KVM_EXIT_HLT ? ': the processor waits' : ''}` };
}

function changeOf(decoded: Instruction | string, rax: bigint): string {
  if (typeof decoded === 'string') return '';
  const { name, operand } = decoded;
  if (name === 'mov dx') return `DX = 0x${operand.toString(16)}${operand === 0x3f8 ? ', the port COM1' : ''}`;
  return name === 'mov al' || name === 'load al' ? `AL = 0x${(rax & 0xffn).toString(16).padStart(2, '0')}` : '';
}
