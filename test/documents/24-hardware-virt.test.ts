/**
 * Number 24, references 2.10.24.a-i and 2.9.4.h: VT-x and AMD-V, the order of the VMX instructions, root and non-root mode, the VMCS, exits and
 * their handling; on a modelled processor, since no program may do it itself. What the documents got wrong: success is in CF and ZF, not in AL, and
 * they take it for failure where they load and for success where they read; the handlers do nothing and never move RIP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hardwareVirtualization } from '../../src/machine/hardware.ts';
import { link } from '../../src/westworld/link.ts';
import { cpuid, greeting, hlt, loadAl, movAl, movDx, movEax, nop, out, rdtsc, storeAl, ud2, vmcall } from '../../src/westworld/narratives.ts';
import { handleExit, type Handled, type Machine } from '../../src/westworld/vmx/exit-handler.ts';
import { exitOf, exitReasons, portAccess, reasonNumber } from '../../src/westworld/vmx/exit-reasons.ts';
import * as fields from '../../src/westworld/vmx/fields.ts';
import { vmxLife } from '../../src/westworld/vmx/life.ts';
import { Vmcs } from '../../src/westworld/vmx/vmcs.ts';
import { HLT_EXITING, HOST_CR0_FIXED, HOST_CR4_FIXED, InvalidOpcode, RDTSC_EXITING, UNCONDITIONAL_IO_EXITING, Vmx } from '../../src/westworld/vmx/vmx.ts';
import { printedByDelos } from './commands.ts';

interface Bench {
  vmx: Vmx;
  vmcs: Vmcs;
}

/** A processor in root mode with a VMCS that could be launched. */
function bench(code: readonly number[], controls = HLT_EXITING | UNCONDITIONAL_IO_EXITING | RDTSC_EXITING): Bench {
  const program = link();
  const host = program.ford_creates_host(1) ?? assert.fail();
  program.ford_implants_memories(host, Uint8Array.from(code), 0x7c00n);
  const vmx = new Vmx(program, host.brain ?? assert.fail(), host.park?.guest_memory ?? assert.fail());
  const vmcs = new Vmcs();
  vmx.vmxon();
  vmx.vmclear(vmcs);
  vmx.vmptrld(vmcs);
  for (const [field, value] of [
    [fields.HOST_CR0, HOST_CR0_FIXED], [fields.HOST_CR4, HOST_CR4_FIXED], [fields.HOST_RIP, 0xffff_8000n], [fields.GUEST_RIP, 0x7c00n], [fields.GUEST_RFLAGS, 2n],
    [fields.PRIMARY_PROC_CONTROLS, controls],
  ] as const) assert.deepEqual(vmx.vmwrite(field, value), { kind: 'succeed' });
  return { vmx, vmcs };
}

const reasonOf = ({ vmcs }: Bench): string | undefined => exitOf(Number(vmcs.get(fields.EXIT_REASON))).name;

/** Launches, and handles one exit. */
function once(code: readonly number[], machine: Partial<Machine> = {}): Bench & { handled: Handled } {
  const made = bench(code);
  assert.deepEqual(made.vmx.vmlaunch(), { kind: 'succeed' });
  return { ...made, handled: handleExit(made.vmx, { readPort: () => 0xff, writePort: () => undefined, msrs: new Map(), ...machine }) };
}

test('test_hardware_virt', async (context) => {
  await context.test('VT-x by vmx, AMD-V by svm, and a sentence where there is neither', () => {
    const on = (flags: string, module: string): ReturnType<typeof hardwareVirtualization> => hardwareVirtualization({ cpuinfo: `flags\t: ${flags}\n`, modules: [module], parameter: () => 'Y' });
    assert.deepEqual([on('vmx ept', 'kvm_intel').extension, on('vmx ept', 'kvm_intel').secondLevel], ['VT-x', 'EPT']);
    assert.deepEqual([on('svm npt', 'kvm_amd').extension, on('svm npt', 'kvm_amd').secondLevel], ['AMD-V', 'NPT']);
    assert.match(on('fpu', 'x').missing ?? '', /neither vmx nor svm/);
  });

  await context.test('VMXON before all else: without it the others do not exist', () => {
    const program = link();
    const host = program.ford_creates_host(1) ?? assert.fail();
    const vmx = new Vmx(program, host.brain ?? assert.fail(), host.park?.guest_memory ?? assert.fail());
    for (const early of [() => vmx.vmxoff(), () => vmx.vmlaunch(), () => vmx.vmread(0), () => vmx.vmclear(new Vmcs())]) assert.throws(early, InvalidOpcode);
    assert.deepEqual([vmx.vmxon().kind, vmx.mode], ['succeed', 'root']);
    assert.deepEqual([vmx.vmxoff().kind, vmx.mode], ['succeed', 'off']);
  });

  await context.test('without a current VMCS: VMfailInvalid, for reading, writing and entering', () => {
    const { vmx, vmcs } = bench(hlt);
    vmx.vmclear(vmcs);
    for (const outcome of [vmx.vmread(fields.GUEST_RIP), vmx.vmwrite(fields.GUEST_RIP, 0n), vmx.vmlaunch(), vmx.vmresume()]) assert.deepEqual(outcome, { kind: 'fail-invalid' });
  });

  await context.test('VMLAUNCH first, then VMRESUME: errors 4 and 5', () => {
    const { vmx, vmcs } = bench([...cpuid, ...hlt]);
    assert.deepEqual(vmx.vmresume(), { kind: 'fail-valid', error: 5 });
    assert.equal(vmx.vmread(fields.VM_INSTRUCTION_ERROR), 5n);
    assert.equal(vmx.vmlaunch().kind, 'succeed');
    assert.deepEqual(vmx.vmlaunch(), { kind: 'fail-valid', error: 4 });
    assert.equal(vmx.vmresume().kind, 'succeed');
    vmx.vmclear(vmcs);
    vmx.vmptrld(vmcs);
    assert.deepEqual(vmx.vmresume(), { kind: 'fail-valid', error: 5 });
  });

  await context.test('VMLAUNCH wants a VMCS that was cleared, VMPTRLD one of this processor', () => {
    const { vmx } = bench(hlt);
    const fresh = new Vmcs();
    vmx.vmptrld(fresh);
    assert.deepEqual(vmx.vmlaunch(), { kind: 'fail-valid', error: 4 });
    assert.deepEqual(vmx.vmptrld(new Vmcs(0x8000_0001)), { kind: 'fail-valid', error: 11 });
    assert.deepEqual(vmx.vmxon(), { kind: 'fail-valid', error: 15 });
  });

  await context.test('what an exit says can be read and not written; what is no field, neither', () => {
    const { vmx } = bench(hlt);
    assert.deepEqual(vmx.vmwrite(fields.EXIT_REASON, 0n), { kind: 'fail-valid', error: 13 });
    assert.deepEqual([vmx.vmwrite(0x6803, 0n), vmx.vmread(0x6803)], [{ kind: 'fail-valid', error: 12 }, { kind: 'fail-valid', error: 12 }]);
  });

  await context.test('the fields of the documents, and what their encodings say', () => {
    assert.deepEqual([fields.GUEST_CR0, fields.GUEST_RSP, fields.HOST_RIP, fields.SECONDARY_PROC_CONTROLS, fields.EXIT_REASON, fields.EXIT_QUALIFICATION],
      [0x6800, 0x681c, 0x6c16, 0x401e, 0x4402, 0x6400]);
    assert.deepEqual(fields.fieldKind(fields.GUEST_RIP), { width: 'natural', area: 'guest state', index: 15, high: false });
    assert.deepEqual(fields.fieldKind(fields.HOST_CR3), { width: 'natural', area: 'host state', index: 1, high: false });
    assert.deepEqual(fields.fieldKind(fields.PRIMARY_PROC_CONTROLS), { width: 32, area: 'control', index: 1, high: false });
    assert.deepEqual(fields.fieldKind(fields.GUEST_PHYSICAL_ADDRESS + 1), { width: 64, area: 'exit information', index: 0, high: true });
    const vmcs = new Vmcs();
    vmcs.set(fields.PRIMARY_PROC_CONTROLS, 0x1_0000_0001n);
    assert.equal(vmcs.get(fields.PRIMARY_PROC_CONTROLS), 1n);
  });

  await context.test('62 reasons from 0 to 64, and those that came since', () => {
    assert.equal(exitReasons.slice(0, 65).filter((name) => name !== undefined).length, 62);
    const numbers = { TRIPLE_FAULT: 2, CPUID: 10, HLT: 12, VMCALL: 18, CR_ACCESS: 28, IO_INSTRUCTION: 30, MSR_WRITE: 32, EPT_VIOLATION: 48, PML_FULL: 62, XRSTORS: 64, BUS_LOCK: 74, NOTIFY: 75 } as const;
    for (const [name, number] of Object.entries(numbers)) assert.equal(reasonNumber(name as keyof typeof numbers), number, name);
    assert.deepEqual([35, 38, 42].map((number) => exitReasons[number]), [undefined, undefined, undefined]);
    assert.deepEqual(exitOf(0xb800_0021), { basic: 33, name: 'INVALID_GUEST_STATE', entryFailed: true, fromRoot: true, pendingStep: true, inEnclave: true });
    assert.deepEqual(portAccess(0x03f8_003bn), { size: 4, isIn: true, isString: true, isRepeated: true, port: 0x3f8 });
  });

  await context.test('an exit goes from non-root to the host\'s RIP, and leaves the guest\'s at the instruction', () => {
    const made = bench([...nop, ...hlt]);
    made.vmx.vmlaunch();
    assert.deepEqual([made.vmx.mode, made.vmx.cpu.regs.rip, reasonOf(made)], ['root', 0xffff_8000n, 'HLT']);
    assert.deepEqual([made.vmx.vmread(fields.GUEST_RIP), made.vmx.vmread(fields.EXIT_INSTRUCTION_LENGTH)], [0x7c01n, 1n]);
  });

  await context.test('what only the controls catch is not caught without them', () => {
    const made = bench([...rdtsc, ...movDx(0x3f8), ...out, ...cpuid], 0n);
    made.vmx.vmlaunch();
    assert.equal(reasonOf(made), 'CPUID');
    const caught = bench([...rdtsc]);
    caught.vmx.vmlaunch();
    assert.equal(reasonOf(caught), 'RDTSC');
  });

  await context.test('a state that makes no sense is refused: the host\'s by error 8, the guest\'s by an exit', () => {
    const bad = bench(hlt);
    bad.vmx.vmwrite(fields.HOST_CR4, 0n);
    assert.deepEqual(bad.vmx.vmlaunch(), { kind: 'fail-valid', error: 8 });
    const made = bench(hlt);
    made.vmx.vmwrite(fields.GUEST_RFLAGS, 0n);
    assert.equal(made.vmx.vmlaunch().kind, 'succeed');
    assert.equal(made.vmx.vmread(fields.EXIT_REASON), 0x8000_0021n);
    assert.deepEqual(handleExit(made.vmx, { readPort: () => 0, writePort: () => undefined, msrs: new Map() }), { kind: 'shutdown' });
    assert.deepEqual(made.vmx.vmresume(), { kind: 'fail-valid', error: 5 });
  });

  await context.test('each exit does what was wanted, and moves RIP on', () => {
    const said: number[] = [];
    const io = once([...movDx(0x3f8), ...movAl(0x48), ...out], { writePort: (port, value) => said.push(port, value) });
    assert.deepEqual([io.handled.kind, said, io.vmx.vmread(fields.GUEST_RIP)], ['continue', [0x3f8, 0x48], 0x7c06n]);
    const leaf = once([...movEax(1), ...cpuid]);
    assert.deepEqual([leaf.vmx.cpu.regs.rcx, leaf.vmx.vmread(fields.GUEST_RIP)], [1n << 31n, 0x7c08n]);
    assert.deepEqual([once(vmcall).vmx.cpu.regs.rax, once(vmcall).vmx.vmread(fields.GUEST_RIP)], [(1n << 64n) - 1000n, 0x7c03n]);
    assert.deepEqual([once(hlt).handled.kind, once(hlt).vmx.vmread(fields.GUEST_RIP)], ['halt', 0x7c01n]);
    assert.deepEqual(once(ud2).handled, { kind: 'shutdown' });
    assert.deepEqual(once(rdtsc).handled, { kind: 'unhandled', reason: 16 });
  });

  await context.test('model-specific registers are read and written by halves; one that there is not is fatal', () => {
    const msrs = new Map([[0, 0x1122_3344_5566_7788n]]);
    const { vmx } = once([0x0f, 0x32], { msrs });
    assert.deepEqual([vmx.cpu.regs.rax, vmx.cpu.regs.rdx, vmx.vmread(fields.GUEST_RIP)], [0x5566_7788n, 0x1122_3344n, 0x7c02n]);
    once([...movEax(0x99), 0x0f, 0x30], { msrs });
    assert.equal(msrs.get(0), 0x99n);
    assert.deepEqual(once([0x0f, 0x32]).handled, { kind: 'shutdown' });
  });

  await context.test('an EPT violation says where and what, for data and for code', () => {
    const write = once(storeAl(1 << 20));
    assert.deepEqual([write.vmx.vmread(fields.GUEST_PHYSICAL_ADDRESS), write.vmx.vmread(fields.EXIT_QUALIFICATION), write.handled.kind], [1n << 20n, 0x182n, 'continue']);
    const read = once([...movAl(0), ...loadAl(1 << 20)]);
    assert.deepEqual([read.vmx.vmread(fields.EXIT_QUALIFICATION), read.vmx.cpu.regs.rax], [0x181n, 0xffn]);
    const fetch = bench(nop);
    fetch.vmx.vmwrite(fields.GUEST_RIP, 1n << 20n);
    fetch.vmx.vmlaunch();
    assert.deepEqual([reasonOf(fetch), fetch.vmx.vmread(fields.GUEST_PHYSICAL_ADDRESS)], ['EPT_VIOLATION', 1n << 20n]);
  });

  await context.test('a guest that never ends is interrupted, and goes on', () => {
    const made = bench([0xeb, 0xfe]);
    made.vmx.vmlaunch();
    assert.deepEqual([reasonOf(made), made.vmx.vmread(fields.GUEST_RIP)], ['EXTERNAL_INTERRUPT', 0x7c00n]);
  });

  await context.test('a whole life: VMLAUNCH once, then VMRESUME for each further exit', () => {
    const { steps, output, end } = vmxLife(Uint8Array.from(greeting));
    assert.deepEqual([output, end], ['Hi!\n', 'halt']);
    const entries = steps.map(({ instruction }) => instruction).filter((name) => !name.startsWith('VMWRITE'));
    assert.deepEqual(entries, ['VMXON', 'VMCLEAR', 'VMPTRLD', 'VMLAUNCH', 'VMRESUME', 'VMRESUME', 'VMRESUME', 'VMRESUME', 'VMXOFF']);
    assert.match(printedByDelos('explain', 'vmx'), /^VMLAUNCH +VM exit IO_INSTRUCTION, qualification 0x3f80000 +root\n/m);
  });
});
