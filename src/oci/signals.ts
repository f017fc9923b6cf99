import { SIG_BLOCK, SIG_SETMASK } from '../abi/process.ts';
import { timespec } from '../abi/structs.ts';
import { bytes, record } from '../plan/block.ts';
import { call, jump, Label, type Item } from '../plan/step.ts';

const everySignal = bytes(new Uint8Array(8).fill(0xff), '~0');
const noSignal = bytes(new Uint8Array(8), '0');

/** The runtime passes signals on by signalfd(2), which wants them blocked. */
export function blockSignals(): Item {
  return call('rt_sigprocmask', [SIG_BLOCK, everySignal, 0, 8], 'signals are passed on to the container');
}

/** Takes the signals that came while they were blocked, so that unblocking them ends nobody. */
export function drainSignals(why: string): Item[] {
  const again = new Label('one more signal');
  const none = new Label('no signal waits');
  return [
    again,
    call('rt_sigtimedwait', [everySignal, 0, record(timespec, {}), 8], why, { accept: { EAGAIN: none, EINTR: again } }),
    jump(again, why),
    none,
  ];
}

/** A program starts with no signal blocked. */
export function unblockSignals(why = 'the program starts with no signal blocked'): Item {
  return call('rt_sigprocmask', [SIG_SETMASK, noSignal, 0, 8], why);
}
