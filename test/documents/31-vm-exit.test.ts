/** Number 31, references 2.10.31.a-h: a guest for every exit, and the loop that answers them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KVM_EXIT_HLT, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN } from '../../src/abi/kvm.ts';
import { protectedModeAt } from '../../src/boot/start-state.ts';
import type { AccessSize } from '../../src/device/device.ts';
import type { Exit } from '../../src/engine/engine.ts';
import { exitText } from '../../src/engine/exit-text.ts';
import { kvm } from '../../src/engine/kvm.ts';
import { exitName } from '../../src/engine/kvm/exits.ts';
import { engines, TestGuest } from '../support/guest.ts';

const patience = 500e6;

for (const { engine, skip } of engines) {
  test(`test_vm_exit on ${engine.name}`, { skip }, async (context) => {
    /** Runs code in flat protected mode with a device at a port and one at an address; gives what they saw and how it ended. */
    const seen = (code: string): { log: string[]; exit: Exit; exits: number[] } => {
      using guest = new TestGuest(Buffer.from(code, 'hex'), { engine });
      const log: string[] = [];
      const device = (space: string) => ({
        name: space, width: 4 as const,
        read: (offset: number, size: AccessSize) => (log.push(`${space} read ${size} at ${offset}`), 0x12345678),
        write: (offset: number, size: AccessSize, value: number) => void log.push(`${space} write ${size} at ${offset}: ${value.toString(16)}`),
      });
      guest.bus.ports.attach(0x600, 8, device('port'));
      guest.bus.memory.attach(0x400000, 0x1000, device('memory'));
      guest.load(protectedModeAt(0x1000));
      const exit = guest.run(patience);
      return { log, exit, exits: guest.exits };
    };
    const halts = (code: string, log: readonly string[], exits: readonly number[]): void => {
      const found = seen(`${code}f4`);
      assert.deepEqual({ log: found.log, exit: found.exit }, { log, exit: { kind: 'halt' } });
      if (engine === kvm) assert.deepEqual(found.exits, [...exits, KVM_EXIT_HLT]);
    };

    await context.test('in', () => halts('66ba0006ed', ['port read 4 at 0'], [KVM_EXIT_IO]));
    await context.test('out', () => halts('66ba0406b8efbeadde66ef', ['port write 2 at 4: beef'], [KVM_EXIT_IO]));
    await context.test('read of memory that is none', () => halts('a110004000', ['memory read 4 at 16'], [KVM_EXIT_MMIO]));
    await context.test('write to it', () => halts('c6052000400007', ['memory write 1 at 32: 7'], [KVM_EXIT_MMIO]));
    await context.test('hlt ends the loop', () => {
      const { exit } = seen('f4');
      assert.equal(exitText(exit), 'Guest halted');
    });
    await context.test('a triple fault ends it', () => {
      const { exit, exits } = seen('0f0b');
      assert.equal(exitText(exit), 'Guest shutdown (triple fault)');
      if (engine === kvm) assert.deepEqual(exits, [KVM_EXIT_SHUTDOWN]);
    });
    await context.test('whatever else it is, it is told', () => {
      assert.equal(exitText({ kind: 'error', message: 'no one answers KVM_EXIT_NMI' }), 'Unhandled exit: no one answers KVM_EXIT_NMI');
      assert.equal(exitName(17), 'KVM_EXIT_INTERNAL_ERROR');
      assert.equal(exitName(99), 'KVM_EXIT_99');
    });
  });
}
