import { KVM_GET_MSRS, KVM_SET_MSRS, kvm_msr_entry, kvm_msrs } from '../../abi/kvm.ts';
import { cpuState, stateOfMsr } from '../../cpu/state.ts';
import { DelosError } from '../../lib/errors.ts';
import { ioctl } from '../../sys/syscall.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

const IA32_TSC = 0x10;
/** These are in kvm_sregs. */
const elsewhere = new Set(['apicBase', 'efer', 'fsBase', 'gsBase']);

const table: readonly { readonly index: number; readonly field: number }[] = [
  ...Object.entries(stateOfMsr).flatMap(([index, name]) => (elsewhere.has(name) ? [] : [{ index: Number(index), field: cpuState.fields[name].offset }])),
  { index: IA32_TSC, field: cpuState.fields.tsc.offset },
];

const { index: indexField, data: dataField } = kvm_msr_entry.fields;

/** A table of MSRs for KVM, with room for so many. */
export class MsrList {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(indices: readonly number[]) {
    this.bytes = new Uint8Array(kvm_msrs.size + indices.length * kvm_msr_entry.size);
    this.view = new DataView(this.bytes.buffer);
    this.length = indices.length;
    for (const [number, index] of indices.entries()) this.view.setUint32(this.#at(number) + indexField.offset, index, true);
  }

  set length(count: number) {
    this.view.setUint32(kvm_msrs.fields.nmsrs.offset, count, true);
  }

  #at(number: number): number {
    return kvm_msrs.size + number * kvm_msr_entry.size;
  }

  value(number: number): bigint {
    return this.view.getBigUint64(this.#at(number) + dataField.offset, true);
  }

  put(number: number, index: number, value: bigint): void {
    this.view.setUint32(this.#at(number) + indexField.offset, index, true);
    this.view.setBigUint64(this.#at(number) + dataField.offset, value, true);
  }
}

/** The MSRs of one processor that are plain state, as far as its KVM has them. Only what has changed is set: setting the time has an effect. */
export class Msrs {
  readonly #vcpu: Vcpu;
  readonly #entries;
  readonly #got: MsrList;
  readonly #changed: MsrList;

  constructor(vcpu: Vcpu) {
    this.#vcpu = vcpu;
    // One by one: KVM stops at the first that it does not have.
    this.#entries = table.filter(({ index }) => ioctl(vcpu.fd, KVM_GET_MSRS, new MsrList([index]).bytes) === 1);
    const indices = this.#entries.map(({ index }) => index);
    this.#got = new MsrList(indices);
    this.#changed = new MsrList(indices);
  }

  get(state: DataView): void {
    const count = kvmCall('KVM_GET_MSRS', this.#vcpu.fd, KVM_GET_MSRS, this.#got.bytes);
    if (count !== this.#entries.length) throw new Error('assertion: KVM has lost an MSR');
    for (const [number, { field }] of this.#entries.entries()) state.setBigUint64(field, this.#got.value(number), true);
  }

  /** @returns whether anything has changed since {@link get}. @throws DelosError when KVM does not take a value */
  set(state: DataView): boolean {
    const changed = this.#entries.filter(({ field }, number) => state.getBigUint64(field, true) !== this.#got.value(number));
    if (changed.length === 0) return false;
    for (const [number, { index, field }] of changed.entries()) this.#changed.put(number, index, state.getBigUint64(field, true));
    this.#changed.length = changed.length;
    const count = kvmCall('KVM_SET_MSRS', this.#vcpu.fd, KVM_SET_MSRS, this.#changed.bytes);
    const refused = changed[count];
    if (refused !== undefined) throw new DelosError('bad-machine', `KVM does not take the value of MSR 0x${refused.index.toString(16)}`);
    for (const [number, { index, field }] of this.#entries.entries()) this.#got.put(number, index, state.getBigUint64(field, true));
    return true;
  }
}
