/**
 * Where KVM has a processor's help: Debian on an emulated AMD processor (QEMU's TCG does SVM), whose guests' kernel mode is not interpreted. It
 * takes minutes: only by `./dev test nested`.
 */
import { test } from 'node:test';
import { guestKernel } from '../../tools/vm/kernel.ts';
import { vmMissing } from '../../tools/vm/run.ts';
import { runGuestTests } from '../vm/guest-tests.ts';

function missing(): string | false {
  const reason = vmMissing();
  if (reason !== undefined) return reason;
  return guestKernel().modules.has('kvm_amd') ? false : 'the cached kernel is without KVM\'s modules: remove ~/.cache/delos-vm';
}

/** Runs files of node:test in a guest that has KVM, and says on the terminal how long it took: the guest's own clock counts instructions. */
export function testOnSvm(what: string, files: readonly string[]): void {
  test(`on an emulated SVM: ${what}`, { skip: missing() }, async (context) => {
    const started = performance.now();
    await runGuestTests(context, files, { processor: 'EPYC', modules: ['kvm_amd'], countedTime: true, memoryMiB: 2048, timeoutSeconds: 850 });
    context.diagnostic(`${what}: ${Math.round((performance.now() - started) / 1000)} s`);
  });
}
