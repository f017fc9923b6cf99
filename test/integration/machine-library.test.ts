import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kvm } from '../../src/engine/kvm.ts';
import { DelosError, Machine } from '../../src/machine.ts';
import { echoGuest } from '../support/echo-guest.ts';

const code = Uint8Array.from(echoGuest);
const available = kvm.available();

for (const [engine, skip] of [['interpreter', false], ['kvm', available !== true && available], ['auto', false]] as const) {
  test(`a guest by the library on ${engine}, which says what it is and why`, { skip, timeout: 60_000 }, async () => {
    using machine = new Machine({ code, memory: '1m', engine });
    const running = machine.run();
    await machine.serial.waitFor('?');
    machine.send('x');
    assert.deepEqual(await running, { kind: 'debug-exit', status: 7 });
    assert.equal(machine.serial.text, '?x');
    assert.match(machine.why, new RegExp(`^${engine === 'auto' ? '(kvm|interpreter): .*KVM' : `${engine}: asked for`}`));
    if (engine !== 'auto') assert.equal(machine.engine, engine);
  });
}

test('an engine that there is not is refused', () => {
  const made = (): Machine => new Machine({ code, engine: 'qemu' as 'kvm' });
  assert.throws(made, (error: unknown) => error instanceof DelosError && /no engine qemu, only auto, kvm, interpreter/.test(error.message));
});
