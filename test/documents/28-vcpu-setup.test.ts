/** Number 28, references 2.10.28.a-g: a processor's registers, in KVM's layouts, there and back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KVM_GET_REGS, KVM_GET_SREGS, KVM_SET_REGS, KVM_SET_SREGS, kvm_regs, kvm_sregs } from '../../src/abi/kvm.ts';
import { kvmCall } from '../../src/engine/kvm/vcpu.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { get } from '../../src/lib/layout.ts';
import { noKvm } from '../support/guest.ts';

const sregs = kvm_sregs.fields;

test('test_vcpu_setup', async (context) => {
  await context.test('structs of 144, 312, 24 and 16 bytes, rsp before rbp', () => {
    assert.deepEqual([kvm_regs.size, kvm_sregs.size], [144, 312]);
    assert.equal(sregs['ds.base'].offset - sregs['cs.base'].offset, 24);
    assert.equal(sregs['idt.base'].offset - sregs['gdt.base'].offset, 16);
    const order = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rsp', 'rbp', ...Array.from({ length: 8 }, (_, at) => `r${at + 8}`), 'rip', 'rflags'];
    assert.deepEqual(Object.keys(kvm_regs.fields), order);
  });

  await context.test('a new processor is as after reset', { skip: noKvm }, () => {
    const vm = new Vm();
    try {
      const { fd } = vm.addVcpu(0);
      const bytes = new Uint8Array(kvm_sregs.size);
      kvmCall('KVM_GET_SREGS', fd, KVM_GET_SREGS, bytes);
      const value = (name: keyof typeof sregs): number | bigint => get(new DataView(bytes.buffer), sregs[name].offset, sregs[name].type);
      assert.deepEqual([value('cr0'), value('cs.selector'), value('cs.base'), value('cs.limit')], [0x60000010, 0xf000, 0xffff0000, 0xffff]);
    } finally {
      vm.close();
    }
  });

  await context.test('what is set is got', { skip: noKvm }, () => {
    const vm = new Vm();
    try {
      const { fd } = vm.addVcpu(0);
      const wanted = Uint8Array.from({ length: kvm_regs.size }, (_, at) => at + 1);
      new DataView(wanted.buffer).setBigUint64(kvm_regs.fields.rflags.offset, 0x2n, true);
      const got = new Uint8Array(kvm_regs.size);
      kvmCall('KVM_SET_REGS', fd, KVM_SET_REGS, wanted);
      kvmCall('KVM_GET_REGS', fd, KVM_GET_REGS, got);
      assert.deepEqual(got, wanted);
      const before = new Uint8Array(kvm_sregs.size);
      const after = new Uint8Array(kvm_sregs.size);
      kvmCall('KVM_GET_SREGS', fd, KVM_GET_SREGS, before);
      new DataView(before.buffer).setBigUint64(sregs['ds.base'].offset, 0x12340n, true);
      kvmCall('KVM_SET_SREGS', fd, KVM_SET_SREGS, before);
      kvmCall('KVM_GET_SREGS', fd, KVM_GET_SREGS, after);
      assert.deepEqual(after, before);
    } finally {
      vm.close();
    }
  });
});
