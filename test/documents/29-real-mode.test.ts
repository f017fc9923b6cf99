/** Number 29, references 2.10.29.a-g: real mode, a guest that halts and the one that says "Hi". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KVM_EXIT_HLT, KVM_EXIT_IO } from '../../src/abi/kvm.ts';
import { realModeAt } from '../../src/boot/start-state.ts';
import { segmentRegisters } from '../../src/cpu/state.ts';
import { kvm } from '../../src/engine/kvm.ts';
import { engines, TestGuest } from '../support/guest.ts';

const hi = Buffer.from('baf803b048eeb069eef4', 'hex');
/** At 0, as the documents have it: the interrupt vectors lie there too, but nothing interrupts. */
const options = { at: 0, registers: { rsp: 0x8000 } };

for (const { engine, skip } of engines) {
  test(`test_real_mode on ${engine.name}`, { skip }, async (context) => {
    await context.test('segments from 0 of 64 KiB, rip 0, rflags 2, rsp 0x8000', () => {
      using guest = new TestGuest(hi, { engine, ...options });
      for (const name of segmentRegisters.filter((one) => one !== 'tr' && one !== 'ldtr')) {
        assert.deepEqual([guest.get(`${name}Base`), guest.get(`${name}Selector`), guest.get(`${name}Limit`)], [0, 0, 0xffff], name);
        // Present, of code or data, no D, L or G; type 3 is data that can be written, B code that can be read, both accessed.
        assert.equal(guest.get(`${name}Attributes`), name === 'cs' ? 0x9b : 0x93, name);
      }
      assert.deepEqual([guest.get('rip'), guest.get('rflags'), guest.get('rsp')], [0, 2, 0x8000]);
      assert.equal(guest.get('trAttributes'), 0x8b, 'a busy task, or no processor enters');
    });

    await context.test('a guest that halts', () => {
      using guest = new TestGuest([0xf4], { engine, ...options });
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.get('rip'), 1);
      if (engine === kvm) assert.deepEqual(guest.exits, [KVM_EXIT_HLT]);
    });

    await context.test('a guest that says "Hi": two exits for the port and one for HLT', () => {
      using guest = new TestGuest(hi, { engine, ...options });
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.output, 'Hi');
      if (engine === kvm) assert.deepEqual(guest.exits, [KVM_EXIT_IO, KVM_EXIT_IO, KVM_EXIT_HLT]);
    });

    await context.test('"Hi!" and a line at 0x7c00, where HLT leaves rip behind itself', () => {
      const code = Buffer.from('baf803b048eeb069eeb021eeb00aeef4', 'hex');
      using guest = new TestGuest(code, { engine, at: 0x7c00 });
      guest.load(realModeAt(0x7c00));
      assert.deepEqual(guest.run(), { kind: 'halt' });
      assert.equal(guest.output, 'Hi!\n');
      assert.equal(guest.get('rip'), 0x7c10);
      if (engine === kvm) assert.equal(guest.exits.length, 5);
    });
  });
}
