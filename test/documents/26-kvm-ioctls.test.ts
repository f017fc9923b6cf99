/** Number 26, references 2.10.26.a-h: version 12, making a machine and a processor, kvm_run's mapping, running to an exit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EINTR } from '../../src/abi/errno.ts';
import { KVM_EXIT_HLT, KVM_GET_API_VERSION, KVM_GET_VCPU_MMAP_SIZE, kvm_run_io } from '../../src/abi/kvm.ts';
import { createGuestMemory } from '../../src/engine/memory.ts';
import { kvmCall } from '../../src/engine/kvm/vcpu.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { probeKvm } from '../../src/engine/probe.ts';
import { noKvm, TestGuest } from '../support/guest.ts';

test('test_kvm_ioctls', { skip: noKvm }, async (context) => {
  await context.test('the version is 12, and the probe tells the extensions', () => {
    const vm = new Vm();
    try {
      assert.equal(kvmCall('KVM_GET_API_VERSION', vm.system, KVM_GET_API_VERSION), 12);
      const { version, extensions, mapSize } = probeKvm();
      assert.equal(version, 12);
      assert.equal(extensions['KVM_CAP_USER_MEMORY'], 1);
      assert.equal(mapSize, kvmCall('KVM_GET_VCPU_MMAP_SIZE', vm.system, KVM_GET_VCPU_MMAP_SIZE));
    } finally {
      vm.close();
    }
  });

  await context.test('kvm_run is shared with the kernel: the exit\'s reason at 8, its part at 32', () => {
    assert.equal(kvm_run_io.fields.exit_reason.offset, 8);
    assert.equal(kvm_run_io.fields['io.direction'].offset, 32);
    const vm = new Vm();
    try {
      const vcpu = vm.addVcpu(0);
      const bytes = createGuestMemory([{ guestAddress: 0, size: 0x10000 }]).bytes(0, 0x10000);
      bytes[0xfff0] = 0xf4;
      vm.addSlot({ guestAddress: 0xffff0000, bytes, readOnly: false, logDirtyPages: false });
      vcpu.bytes[1] = 1;
      assert.equal(vcpu.enter(), -EINTR, 'as immediate_exit is set');
      vcpu.bytes[1] = 0;
      assert.equal(vcpu.enter(), 0);
      assert.deepEqual([vcpu.view.getUint32(8, true), vcpu.exitReason], [KVM_EXIT_HLT, KVM_EXIT_HLT], 'HLT is the first instruction after reset');
    } finally {
      vm.close();
    }
  });

  await context.test('a machine runs to its exit', () => {
    using guest = new TestGuest([0xf4]);
    assert.deepEqual(guest.run(), { kind: 'halt' });
    assert.deepEqual(guest.exits, [KVM_EXIT_HLT]);
  });
});
