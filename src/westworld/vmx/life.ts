import { isVoice, readPort } from '../devices.ts';
import { link } from '../link.ts';
import { BOOT_ADDRESS } from '../kvm.ts';
import { handleExit, type Handled } from './exit-handler.ts';
import { exitOf } from './exit-reasons.ts';
import { EXIT_QUALIFICATION, EXIT_REASON, GUEST_RFLAGS, GUEST_RIP, HOST_CR0, HOST_CR4, HOST_RIP, PRIMARY_PROC_CONTROLS, fieldNames } from './fields.ts';
import { Vmcs, type Outcome } from './vmcs.ts';
import { HLT_EXITING, HOST_CR0_FIXED, HOST_CR4_FIXED, UNCONDITIONAL_IO_EXITING, Vmx } from './vmx.ts';

export interface LifeStep {
  /** Which mode the processor is in afterwards. */
  readonly mode: Vmx['mode'];
  /** `VMWRITE GUEST_RIP, 0x7c00`. */
  readonly instruction: string;
  readonly outcome: string;
}

/** Where this model's hypervisor has its exit handler; nothing is there but a number. */
const HANDLER = 0xffff_ffff_8100_0000n;
/** Exits after which a guest is left alone. */
const MOST_EXITS = 100;

/** A guest's whole life in VMX instructions, from VMXON to VMXOFF, as a hypervisor gives them. @throws RangeError when its code does not fit */
export function vmxLife(code: Uint8Array): { readonly steps: LifeStep[]; readonly output: string; readonly end: Handled['kind'] } {
  const steps: LifeStep[] = [];
  let output = '';
  const program = link();
  const host = program.ford_creates_host(1);
  if (!host?.brain || !host.park?.guest_memory) throw new Error('assertion: there is no host');
  if (program.ford_implants_memories(host, code, BOOT_ADDRESS) < 0) throw new RangeError(`${code.length} bytes do not fit at 0x${BOOT_ADDRESS.toString(16)}`);
  const vmx = new Vmx(program, host.brain, host.park.guest_memory);
  const vmcs = new Vmcs();
  const told = (instruction: string, outcome: Outcome): void => void steps.push({ mode: vmx.mode, instruction, outcome: outcome.kind });
  const write = (field: number, value: bigint): void => told(`VMWRITE ${fieldNames.get(field)}, 0x${value.toString(16)}`, vmx.vmwrite(field, value));
  const entered = (instruction: string, outcome: Outcome): void => {
    const { name } = exitOf(Number(vmcs.get(EXIT_REASON)));
    steps.push({ mode: vmx.mode, instruction, outcome: outcome.kind === 'succeed' ? `VM exit ${name}, qualification 0x${vmcs.get(EXIT_QUALIFICATION).toString(16)}` : outcome.kind });
  };
  told('VMXON', vmx.vmxon());
  told('VMCLEAR', vmx.vmclear(vmcs));
  told('VMPTRLD', vmx.vmptrld(vmcs));
  write(HOST_CR0, HOST_CR0_FIXED);
  write(HOST_CR4, HOST_CR4_FIXED);
  write(HOST_RIP, HANDLER);
  write(GUEST_RIP, BOOT_ADDRESS);
  write(GUEST_RFLAGS, 2n);
  write(PRIMARY_PROC_CONTROLS, HLT_EXITING | UNCONDITIONAL_IO_EXITING);
  entered('VMLAUNCH', vmx.vmlaunch());
  const writePort = (port: number, value: number): void => void (output += isVoice(port) ? String.fromCharCode(value) : '');
  const machine = { readPort, writePort, msrs: new Map<number, bigint>() };
  let handled = handleExit(vmx, machine);
  for (let exits = 1; handled.kind === 'continue' && exits < MOST_EXITS; exits++) {
    entered('VMRESUME', vmx.vmresume());
    handled = handleExit(vmx, machine);
  }
  told('VMXOFF', vmx.vmxoff());
  program.ford_retires_host(host);
  return { steps, output, end: handled.kind };
}
