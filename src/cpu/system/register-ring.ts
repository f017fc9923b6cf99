import { cpuState } from '../state.ts';
import type { Registers } from '../registers.ts';

const TOP = 0x3800;
const registerBytes = 16;
const ringBytes = 8 * registerBytes;

/** TOP becomes 0. The state has x87's registers counted from the top of their stack, so that all of them move; each keeps its place in the ring. */
export function countFromZero(registers: Registers): void {
  const status = registers.number('fsw');
  const { view } = registers;
  const ring = new Uint8Array(view.buffer, view.byteOffset + cpuState.fields.st0Low.offset, ringBytes);
  const before = ring.slice();
  const shift = ((status & TOP) >> 11) * registerBytes;
  ring.set(before.subarray(0, ringBytes - shift), shift);
  ring.set(before.subarray(ringBytes - shift), 0);
  registers.setNumber('fsw', status & ~TOP);
}
