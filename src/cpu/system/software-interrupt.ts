/** INT n, INT3, INT1, INTO and BOUND (SDM volume 2, INT n). */

import { RFLAGS } from '../builder.ts';
import { enterHandler } from './interrupt.ts';
import { CR4, ioPrivilege, isVirtual8086 } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { BP, BR, DB, GP, OF, type Processor } from './processor.ts';
import { Stack } from './stack.ts';

function interrupt(processor: Processor, vector: number): void {
  enterHandler(processor, { vector, errorCode: undefined, software: true, resume: false });
}

/** Whether the redirection bitmap in front of the permission bitmap leaves the vector to the 8086 program (SDM volume 3, 20.3.3). */
function isRedirected(processor: Processor, vector: number): boolean {
  const { registers } = processor;
  const base = registers.wide('trBase');
  if (registers.number('trLimit') < 103) return false;
  const at = Number(processor.read(base + 102n, 2, true)) - 32 + (vector >> 3);
  if (at > registers.number('trLimit')) return false;
  return (Number(processor.read(base + BigInt(at), 1, true)) & (1 << (vector & 7))) === 0;
}

/** INT n of virtual-8086 mode with its extensions: straight to the 8086 program's own handler. */
function enterVirtual(processor: Processor, vector: number): void {
  const { registers } = processor;
  const flags = processor.flags();
  const target = Number(processor.read(BigInt(4 * vector), 4));
  const stack = Stack.current(processor);
  const virtual = ioPrivilege(flags) < 3;
  const interrupts = virtual ? (flags & RFLAGS.VIF ? RFLAGS.IF : 0) : flags & RFLAGS.IF;
  stack.push(BigInt((flags & ~RFLAGS.IF) | interrupts | (virtual ? 0x3000 : 0)), 2);
  stack.push(BigInt(registers.number('csSelector')), 2);
  stack.push(registers.wide('rip'), 2);
  stack.keep();
  processor.setFlags(flags & ~(RFLAGS.TF | RFLAGS.NT | (virtual ? RFLAGS.VIF : RFLAGS.IF)));
  registers.setNumber('csSelector', target >>> 16);
  registers.setWide('csBase', BigInt((target >>> 16) * 16));
  registers.setWide('rip', BigInt(target & 0xffff));
  processor.modeChanged();
}

export const softwareInterruptOperations: OperationTable = {
  interrupt(processor, a) {
    const vector = Number(a & 0xffn);
    if (isVirtual8086(processor)) {
      if ((processor.registers.number('cr4') & CR4.VME) !== 0 && isRedirected(processor, vector)) {
        enterVirtual(processor, vector);
        return;
      }
      if (ioPrivilege(processor.flags()) < 3) processor.fault(GP, 0);
    }
    interrupt(processor, vector);
  },
  breakpoint: (processor) => interrupt(processor, BP),
  /** As an exception: without a check of the gate's level. */
  interrupt1: (processor) => enterHandler(processor, { vector: DB, errorCode: undefined, software: false, resume: false }),
  overflow(processor) {
    if (processor.flags() & RFLAGS.OF) interrupt(processor, OF);
  },
  /** The index, and the bounds: each sign-extended. */
  bound(processor, a, b, c) {
    const [index, lower, upper] = [a, b, c].map((each) => BigInt.asIntN(64, each)) as [bigint, bigint, bigint];
    if (index < lower || index > upper) processor.fault(BR);
  },
};
