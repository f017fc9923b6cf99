/** Number 25, references 2.10.25.a-h: /dev/kvm, its ioctls, and the three levels of descriptors. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import * as abi from '../../src/abi/kvm.ts';
import { openKvm, Vm } from '../../src/engine/kvm/vm.ts';
import { noKvm } from '../support/guest.ts';

test('test_kvm_architecture', async (context) => {
  await context.test('the ioctls have the numbers of the documents', () => {
    const { KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_RUN, KVM_SET_USER_MEMORY_REGION } = abi;
    assert.deepEqual([KVM_CREATE_VM, KVM_CREATE_VCPU, KVM_RUN, KVM_SET_USER_MEMORY_REGION], [0xae01, 0xae41, 0xae80, 0x4020ae46]);
  });

  await context.test('the system, a machine and a processor are descriptors of their own', { skip: noKvm }, () => {
    const vm = new Vm();
    try {
      const vcpu = vm.addVcpu(0);
      const links = [vm.system, vm.fd, vcpu.fd].map((fd) => fs.readlinkSync(`/proc/self/fd/${fd}`));
      assert.deepEqual([links[0], links[1]], ['/dev/kvm', 'anon_inode:kvm-vm']);
      assert.match(links[2] as string, /^anon_inode:kvm-vcpu:0/);
    } finally {
      vm.close();
    }
  });

  await context.test('without /dev/kvm, one sentence says so', { skip: noKvm === false && 'there is KVM' }, () => {
    assert.throws(() => openKvm(), { message: noKvm as string });
  });
});
