import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as abi from '../../abi/kvm.ts';
import { put, type Layout } from '../../lib/layout.ts';
import { describeExit, exitName } from './exits.ts';

/** What KVM has written of an exit. */
function told<Name extends string>({ size, fields }: Layout<Name>, values: Partial<Record<Name, number | bigint>>): { view: DataView } {
  const view = new DataView(new ArrayBuffer(size));
  for (const [name, value] of Object.entries(values) as [Name, number | bigint][]) put(view, fields[name].offset, fields[name].type, value);
  return { view };
}

test('exits have the header\'s names', () => {
  assert.deepEqual([abi.KVM_EXIT_IO, abi.KVM_EXIT_INTERNAL_ERROR, 99].map(exitName), ['KVM_EXIT_IO', 'KVM_EXIT_INTERNAL_ERROR', 'KVM_EXIT_99']);
});

test('every end that no one answers is told with all that KVM says of it', () => {
  const failure = { 'emulation_failure.suberror': 1, 'emulation_failure.ndata': 4, 'emulation_failure.flags': 1, 'emulation_failure.insn_size': 2 };
  const cases = [
    [abi.KVM_EXIT_UNKNOWN, told(abi.kvm_run_hw, { 'hw.hardware_exit_reason': 0x7dn }), 'KVM does not know the processor\'s exit 0x7d, at rip 0x1000'],
    [abi.KVM_EXIT_FAIL_ENTRY, told(abi.kvm_run_fail_entry, { 'fail_entry.hardware_entry_failure_reason': 0x80000021 }),
      'the processor refuses this state (KVM_EXIT_FAIL_ENTRY 0x80000021), at rip 0x1000'],
    [abi.KVM_EXIT_SYSTEM_EVENT, told(abi.kvm_run_system_event, { 'system_event.type': 2 }), 'the guest asks for a reset (KVM_EXIT_SYSTEM_EVENT), at rip 0x1000'],
    [abi.KVM_EXIT_SYSTEM_EVENT, told(abi.kvm_run_system_event, { 'system_event.type': 9 }),
      'the guest asks for a system event 9 (KVM_EXIT_SYSTEM_EVENT), at rip 0x1000'],
    [abi.KVM_EXIT_INTERNAL_ERROR, told(abi.kvm_run_internal, { 'internal.suberror': 3 }), 'KVM has an internal error of kind 3, at rip 0x1000'],
    [abi.KVM_EXIT_INTERNAL_ERROR, told(abi.kvm_run_internal, { 'internal.suberror': 1 }), 'KVM does not know the instruction, at rip 0x1000'],
    [abi.KVM_EXIT_INTERNAL_ERROR, told(abi.kvm_run_emulation_failure, { ...failure, 'emulation_failure.insn_bytes': 0x0f }),
      'KVM does not know the instruction 0f 00, at rip 0x1000'],
    [abi.KVM_EXIT_HYPERCALL, told(abi.kvm_run_io, {}), 'no one answers KVM_EXIT_HYPERCALL, at rip 0x1000'],
  ] as const;
  for (const [reason, run, words] of cases) assert.equal(describeExit(run, reason, 0x1000n), words);
});
