/** KVM's exits that a device answers, and those that are told in words. */
import * as abi from '../../abi/kvm.ts';
import type { AccessSize } from '../../device/device.ts';
import type { AddressSpace } from '../../device/bus.ts';
import type { EngineOptions, LocalDevices } from '../engine.ts';
import type { Vcpu } from './vcpu.ts';

const io = abi.kvm_run_io.fields;
const mmio = abi.kvm_run_mmio.fields;
const dataAt = mmio['mmio.data'].offset;
const addressAt = mmio['mmio.phys_addr'].offset;

/** KVM_EXIT_IO: one access or, of a string instruction with a prefix, many to the same port. The kernel moves RIP on the next KVM_RUN. */
export function servePort({ view, bytes }: Vcpu, ports: AddressSpace): void {
  const size = view.getUint8(io['io.size'].offset) as AccessSize;
  const port = view.getUint16(io['io.port'].offset, true);
  const count = view.getUint32(io['io.count'].offset, true);
  const data = view.getUint32(io['io.data_offset'].offset, true);
  const end = data + size * count;
  if (end > bytes.length) throw new Error('assertion: KVM names data outside of kvm_run');
  const out = view.getUint8(io['io.direction'].offset) === abi.KVM_EXIT_IO_OUT;
  for (let at = data; at < end; at += size) {
    if (out) ports.write(port, size, load(view, at, size));
    else store(view, at, size, ports.read(port, size));
  }
}

/** KVM_EXIT_MMIO: 1 to 8 bytes; what is no access of a device's goes piece by piece, the lower ones first. */
export function serveMemory({ view }: Vcpu, memory: AddressSpace): void {
  const address = view.getUint32(addressAt, true) + view.getUint32(addressAt + 4, true) * 2 ** 32;
  const length = view.getUint32(mmio['mmio.len'].offset, true);
  const write = view.getUint8(mmio['mmio.is_write'].offset) !== 0;
  for (let done = 0; done < length;) {
    const rest = length - done;
    const size = rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    if (write) memory.write(address + done, size, load(view, dataAt + done, size));
    else store(view, dataAt + done, size, memory.read(address + done, size));
    done += size;
  }
}

const msr = abi.kvm_run_msr.fields;

/** An MSR that KVM does not have: the local APIC's, or the guest gets #GP. */
export function serveMsr({ view }: Vcpu, cpu: number, write: boolean, local: LocalDevices | undefined): void {
  const index = view.getUint32(msr['msr.index'].offset, true);
  const value = write ? undefined : local?.readMsr(cpu, index);
  if (value !== undefined) view.setBigUint64(msr['msr.data'].offset, value, true);
  const done = write ? local?.writeMsr(cpu, index, view.getBigUint64(msr['msr.data'].offset, true)) === true : value !== undefined;
  view.setUint8(msr['msr.error'].offset, done ? 0 : 1);
}

function load(view: DataView, at: number, size: AccessSize): number {
  return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
}

function store(view: DataView, at: number, size: AccessSize, value: number): void {
  if (size === 1) view.setUint8(at, value);
  else if (size === 2) view.setUint16(at, value, true);
  else view.setUint32(at, value, true);
}

/** What a processor's exits go to. */
export type Surroundings = Pick<EngineOptions, 'bus' | 'interrupts' | 'local'>;

/** Whether the exit was one that is answered and then the guest goes on. */
export function serve(vcpu: Vcpu, reason: number, cpu: number, { bus, local }: Surroundings): boolean {
  if (reason === abi.KVM_EXIT_IO) servePort(vcpu, bus.ports);
  else if (reason === abi.KVM_EXIT_MMIO) serveMemory(vcpu, bus.memory);
  else if (reason === abi.KVM_EXIT_X86_RDMSR || reason === abi.KVM_EXIT_X86_WRMSR) serveMsr(vcpu, cpu, reason === abi.KVM_EXIT_X86_WRMSR, local);
  else return reason === abi.KVM_EXIT_IRQ_WINDOW_OPEN || reason === abi.KVM_EXIT_INTR || reason === abi.KVM_EXIT_SET_TPR;
  return true;
}

const names = new Map(Object.entries(abi).flatMap(([name, value]) => (/^KVM_EXIT_(?!IO_)/.test(name) && typeof value === 'number' ? [[value, name]] : [])));

/** `KVM_EXIT_HLT`, as the header spells it. */
export function exitName(reason: number): string {
  return names.get(reason) ?? `KVM_EXIT_${reason}`;
}

const systemEvents = new Map<number, string>([
  [abi.KVM_SYSTEM_EVENT_SHUTDOWN, 'shutdown'], [abi.KVM_SYSTEM_EVENT_RESET, 'reset'], [abi.KVM_SYSTEM_EVENT_CRASH, 'crash'],
]);

/** What ended the run, in a sentence with all that KVM says of it. */
export function describeExit({ view }: Pick<Vcpu, 'view'>, reason: number, rip: bigint): string {
  const at = `at rip 0x${rip.toString(16)}`;
  if (reason === abi.KVM_EXIT_INTERNAL_ERROR) return `${internalError(view)}, ${at}`;
  if (reason === abi.KVM_EXIT_FAIL_ENTRY) {
    const why = view.getBigUint64(abi.kvm_run_fail_entry.fields['fail_entry.hardware_entry_failure_reason'].offset, true);
    return `the processor refuses this state (KVM_EXIT_FAIL_ENTRY 0x${why.toString(16)}), ${at}`;
  }
  if (reason === abi.KVM_EXIT_SYSTEM_EVENT) {
    const type = view.getUint32(abi.kvm_run_system_event.fields['system_event.type'].offset, true);
    return `the guest asks for a ${systemEvents.get(type) ?? `system event ${type}`} (KVM_EXIT_SYSTEM_EVENT), ${at}`;
  }
  if (reason === abi.KVM_EXIT_UNKNOWN) {
    return `KVM does not know the processor's exit 0x${view.getBigUint64(abi.kvm_run_hw.fields['hw.hardware_exit_reason'].offset, true).toString(16)}, ${at}`;
  }
  return `no one answers ${exitName(reason)}, ${at}`;
}

function internalError(view: DataView): string {
  const { fields } = abi.kvm_run_emulation_failure;
  const suberror = view.getUint32(fields['emulation_failure.suberror'].offset, true);
  if (suberror !== abi.KVM_INTERNAL_ERROR_EMULATION) return `KVM has an internal error of kind ${suberror}`;
  const told = view.getUint32(fields['emulation_failure.ndata'].offset, true) >= 1
    && (view.getUint32(fields['emulation_failure.flags'].offset, true) & abi.KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) !== 0;
  if (!told) return 'KVM does not know the instruction';
  const length = Math.min(15, view.getUint8(fields['emulation_failure.insn_size'].offset));
  const first = fields['emulation_failure.insn_bytes'].offset;
  return `KVM does not know the instruction ${Array.from({ length }, (_, index) => view.getUint8(first + index).toString(16).padStart(2, '0')).join(' ')}`;
}
