/** Number 27, references 2.10.27.a-g: memory of a guest in regions, every access checked, and KVM's slots for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kvm_userspace_memory_region } from '../../src/abi/kvm.ts';
import { createGuestMemory } from '../../src/engine/memory.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { noKvm } from '../support/guest.ts';

test('test_vm_memory', async (context) => {
  await context.test('a slot is described in 32 bytes', () => {
    const { size, fields } = kvm_userspace_memory_region;
    assert.equal(size, 32);
    assert.deepEqual(Object.values(fields).map(({ offset }) => offset), [0, 4, 8, 16, 24]);
  });

  await context.test('several regions: written by the guest\'s address, read back, nothing outside or across', () => {
    const memory = createGuestMemory([{ guestAddress: 0, size: 0x10000 }, { guestAddress: 0x100000, size: 0x2000 }]);
    memory.bytes(0x101ffe, 2).set([0xaa, 0x55]);
    assert.deepEqual([...memory.bytes(0x101ffc, 4)], [0, 0, 0xaa, 0x55]);
    const [, second] = memory.regions;
    assert.equal(new Uint8Array(memory.memory.buffer)[(second?.offset ?? 0) + 0x1fff], 0x55);
    for (const [address, length] of [[0xffff, 2], [0x10000, 1], [0x102000, 1], [-1, 1], [0, -1]] as const) {
      assert.throws(() => memory.bytes(address, length), RangeError);
    }
    assert.throws(() => createGuestMemory([{ guestAddress: 0, size: 0x2000 }, { guestAddress: 0x1000, size: 0x1000 }]), /overlaps/);
  });

  await context.test('KVM takes whole pages, and takes a slot away', { skip: noKvm }, () => {
    const vm = new Vm();
    try {
      const bytes = createGuestMemory([{ guestAddress: 0, size: 0x10000 }]).bytes(0, 0x10000);
      const slot = { guestAddress: 0, bytes, readOnly: false, logDirtyPages: false };
      const number = vm.addSlot(slot);
      assert.throws(() => vm.addSlot(slot), /EEXIST/, 'it is there already');
      vm.removeSlot(number);
      vm.addSlot(slot);
      assert.throws(() => vm.addSlot({ ...slot, guestAddress: 0x100001 }), /KVM_SET_USER_MEMORY_REGION: EINVAL/);
      assert.throws(() => vm.addSlot({ ...slot, guestAddress: 0x100000, bytes: bytes.subarray(1, 4097) }), /EINVAL/);
    } finally {
      vm.close();
    }
  });
});
