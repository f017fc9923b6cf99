import { EAGAIN } from '../../abi/errno.ts';
import { KVM_SET_SIGNAL_MASK, kvm_signal_mask } from '../../abi/kvm.ts';
import { errnoName } from '../../abi/names.ts';
import { SIG_BLOCK } from '../../abi/process.ts';
import { SIGRTMIN } from '../../abi/signal-event.ts';
import { syscall, tryCall } from '../../sys/syscall.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

/**
 * Makes KVM_RUN return. It is blocked in a thread that runs processors but for the time inside of KVM_RUN, so it needs no handler and is
 * never lost: one that comes too early waits.
 */
export const kickSignal = SIGRTMIN + 30;

/** struct timespec: not to wait at all. */
const noTime = new BigUint64Array(2);
const kickSet = new BigUint64Array([1n << BigInt(kickSignal - 1)]);

/** From now on this thread can be kicked out of `vcpu`, and nothing else becomes of the signal in this thread. */
export function acceptKicks(vcpu: Vcpu): void {
  const before = new BigUint64Array(1);
  syscall('rt_sigprocmask', SIG_BLOCK, kickSet, before, 8);
  const mask = new Uint8Array(kvm_signal_mask.size + 8);
  const view = new DataView(mask.buffer);
  view.setUint32(kvm_signal_mask.fields.len.offset, 8, true);
  view.setBigUint64(kvm_signal_mask.size, (before[0] as bigint) & ~(kickSet[0] as bigint), true);
  kvmCall('KVM_SET_SIGNAL_MASK', vcpu.fd, KVM_SET_SIGNAL_MASK, mask);
}

/**
 * Takes the kicks that have come, so that they don't end the next run too.
 * @returns whether there were any: KVM_RUN ends with EINTR at every signal
 */
export function takeKicks(): boolean {
  let taken = false;
  for (;;) {
    const result = tryCall('rt_sigtimedwait', kickSet, 0, noTime, 8);
    if (result < 0) {
      if (-result === EAGAIN) return taken;
      throw new Error(`assertion: rt_sigtimedwait fails with ${errnoName(-result)}`);
    }
    taken = true;
  }
}
