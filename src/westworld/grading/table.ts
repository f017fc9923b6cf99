/** The document's table of eight tests, 100 points together (section 4.1), and its main.c (4.2). */

import { KVM_EXIT_HLT, KVM_EXIT_IO } from '../hypervisor-sim.ts';
import type { KvmVcpu, KvmVm, Solution } from '../hypervisor-sim.ts';
import { KVM_API_VERSION } from '../kvm.ts';
import { greeting, hlt, movAl, movDx, out } from '../narratives.ts';
import type { Check } from './check.ts';
import { Stage, need } from './stage.ts';

const MEGABYTE = 1n << 20n;

function vmOf({ program }: Stage): KvmVm {
  const vm = program.kvm_create_vm(program.kvm_open());
  need(vm, 'a VM');
  return vm;
}

/** Runs code on a processor alone, up to its first exit. */
function firstExit(solution: Solution, code: readonly number[]): KvmVcpu {
  const stage = new Stage(solution);
  const { brain } = stage.host(code);
  need(brain, 'a processor');
  need(stage.program.kvm_run(brain) === 0, 'kvm_run to return 0 on an exit');
  return brain;
}

export const table: readonly Check[] = [
  {
    name: 'test_kvm_open', points: 10,
    run: (solution) => {
      const kvm = new Stage(solution).program.kvm_open();
      need(kvm !== null && kvm.fd > 0, 'a descriptor above 0');
      need(kvm.api_version === KVM_API_VERSION, `API version ${KVM_API_VERSION}`);
    },
  },
  { name: 'test_vm_create', points: 10, run: (solution) => void vmOf(new Stage(solution)) },
  {
    name: 'test_vcpu_create', points: 10,
    run: (solution) => {
      const stage = new Stage(solution);
      const vcpu = stage.program.kvm_create_vcpu(vmOf(stage), 0);
      need(vcpu, 'a processor');
      need(vcpu.regs.rip === 0x7c00n && vcpu.regs.rflags === 2n && vcpu.sregs.cr0 === 0x6000_0010n, 'RIP 0x7c00, RFLAGS 2, CR0 0x60000010');
    },
  },
  {
    name: 'test_memory_region', points: 15,
    run: (solution) => {
      const stage = new Stage(solution);
      const vm = vmOf(stage);
      need(stage.program.kvm_set_user_memory_region(vm, 0, 0n, MEGABYTE, null) === 0, '0');
      need(vm.memory_size === MEGABYTE && vm.guest_memory?.size === MEGABYTE, 'a megabyte of memory');
    },
  },
  {
    name: 'test_null_kvm', points: 10, trap: true,
    run: (solution) => {
      const { program } = new Stage(solution);
      need(program.kvm_create_vm(null) === null, 'no VM of no device');
      need(program.kvm_create_vcpu(null, 0) === null, 'no processor of no VM');
      need(program.kvm_set_user_memory_region(null, 0, 0n, MEGABYTE, null) === -1, '-1 for the memory of no VM');
      need(program.kvm_run(null) === -1, '-1 for running no processor');
    },
  },
  {
    name: 'test_hlt_exit', points: 15,
    run: (solution) => {
      const vcpu = firstExit(solution, hlt);
      need(vcpu.kvm_run.exit_reason === KVM_EXIT_HLT, 'KVM_EXIT_HLT');
      need(vcpu.regs.rip === 0x7c00n, 'RIP to stay at the HLT');
    },
  },
  {
    name: 'test_io_exit', points: 15,
    run: (solution) => {
      const vcpu = firstExit(solution, [...movDx(0x3f8), ...movAl(0x48), ...out, ...hlt]);
      const { exit_reason, io } = vcpu.kvm_run;
      need(exit_reason === KVM_EXIT_IO, 'KVM_EXIT_IO');
      need(io.direction === 0 && io.size === 1 && io.port === 0x3f8, 'one byte out to port 0x3f8');
      need(vcpu.regs.rip === 0x7c06n, 'RIP behind the OUT');
    },
  },
  {
    name: 'test_serial_output', points: 15,
    run: (solution) => need(new Stage(solution).lived(greeting).said.startsWith('Hi!\n'), '"Hi!" on stdout'),
  },
];

export const mainProgram: readonly Check[] = [
  {
    name: 'test_kvm_lifecycle',
    run: (solution) => {
      const stage = new Stage(solution);
      const { program, ledger } = stage;
      const kvm = program.kvm_open();
      const vm = program.kvm_create_vm(kvm);
      need(program.kvm_set_user_memory_region(vm, 0, 0n, MEGABYTE, null) === 0, 'a region');
      const vcpu = program.kvm_create_vcpu(vm, 0);
      need(vcpu, 'a processor');
      // main.c closes the device alone and leaves the rest behind.
      program.kvm_destroy_vcpu(vcpu);
      program.kvm_destroy_vm(vm);
      program.kvm_close(kvm);
      need(ledger.leaks.length === 0, `nothing to be left, not ${ledger.leaks.join(', ')}`);
    },
  },
  {
    name: 'test_westworld_host',
    run: (solution) => {
      const stage = new Stage(solution);
      const host = stage.host([...movDx(0x3f8), ...movAl(0x48), ...out, ...hlt]);
      need(host.conscious, 'a host that is awake');
      need(stage.program.dolores_wakes_up(host) === 0, 'it to run to its end');
      need(stage.printed.includes('[VM] Loaded 7 bytes at 0x7c00\n') && stage.printed.endsWith('H[VM] CPU halted\n'), 'an H, then the halt');
    },
  },
];
