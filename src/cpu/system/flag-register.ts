/** RFLAGS as a whole: PUSHF, POPF, CLI, STI and the like (SDM volume 2 under these names; volume 3, 20.3 and 20.4 for the virtual ones). */

import { RFLAGS } from '../builder.ts';
import { CR4, demandPrivilege, ioPrivilege, IOPL, isProtected, isVirtual8086 } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, UD, type Processor } from './processor.ts';
import { Stack } from './stack.ts';

const arithmetic = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
const always = arithmetic | RFLAGS.TF | RFLAGS.DF | RFLAGS.NT;
const afterSti = 1;

/** Whether IF is virtual where the level may not change the real one: VME in virtual-8086 mode, PVI at level 3. */
function hasVirtualFlag(processor: Processor): boolean {
  const cr4 = processor.registers.number('cr4');
  return isVirtual8086(processor) ? (cr4 & CR4.VME) !== 0 : processor.level === 3 && (cr4 & CR4.PVI) !== 0;
}

function pushFlags(processor: Processor, size: number): void {
  let flags = processor.flags() & ~(RFLAGS.RF | RFLAGS.VM);
  if (isVirtual8086(processor) && ioPrivilege(flags) < 3) {
    if (size !== 16 || !hasVirtualFlag(processor)) processor.fault(GP, 0);
    flags = (flags & ~RFLAGS.IF) | IOPL | (flags & RFLAGS.VIF ? RFLAGS.IF : 0);
  }
  const stack = Stack.current(processor);
  stack.push(BigInt(flags), size / 8);
  stack.keep();
}

function popFlags(processor: Processor, size: number): void {
  const old = processor.flags();
  const virtual = isVirtual8086(processor) && ioPrivilege(old) < 3;
  if (virtual && (size !== 16 || !hasVirtualFlag(processor))) processor.fault(GP, 0);
  const stack = Stack.current(processor);
  const image = Number(stack.pop(size / 8) & 0xffffffffn);
  let changed = always | (size === 16 ? 0 : RFLAGS.AC | RFLAGS.ID);
  let flags = image;
  if (virtual) {
    if ((image & RFLAGS.TF) !== 0 || ((image & RFLAGS.IF) !== 0 && (old & RFLAGS.VIP) !== 0)) processor.fault(GP, 0);
    changed |= RFLAGS.VIF;
    flags = (image & ~RFLAGS.VIF) | (image & RFLAGS.IF ? RFLAGS.VIF : 0);
  } else if (processor.level <= ioPrivilege(old)) {
    changed |= RFLAGS.IF;
  }
  if (processor.level === 0) changed |= IOPL;
  stack.keep();
  processor.setFlags((old & ~changed & ~RFLAGS.RF) | (flags & changed) | 2);
  if ((old ^ flags) & changed & RFLAGS.AC) processor.modeChanged();
}

function clearInterrupts(processor: Processor): void {
  const flags = processor.flags();
  if (!isProtected(processor) || processor.level <= ioPrivilege(flags)) processor.setFlags(flags & ~RFLAGS.IF);
  else if (hasVirtualFlag(processor)) processor.setFlags(flags & ~RFLAGS.VIF);
  else processor.fault(GP, 0);
}

function setInterrupts(processor: Processor): void {
  const flags = processor.flags();
  if (!isProtected(processor) || processor.level <= ioPrivilege(flags)) {
    processor.setFlags(flags | RFLAGS.IF);
    if ((flags & RFLAGS.IF) === 0) processor.registers.setNumber('interruptShadow', afterSti);
  } else if (hasVirtualFlag(processor) && (flags & RFLAGS.VIP) === 0) {
    processor.setFlags(flags | RFLAGS.VIF);
  } else {
    processor.fault(GP, 0);
  }
}

function setAlignment(processor: Processor, set: boolean): void {
  if (processor.level !== 0 || (processor.registers.number('cr4') & CR4.SMAP) === 0) processor.fault(UD);
  const flags = processor.flags();
  processor.setFlags(set ? flags | RFLAGS.AC : flags & ~RFLAGS.AC);
  processor.modeChanged();
}

export const flagOperations: OperationTable = {
  /** Operand size. */
  pushFlags: (processor, a) => pushFlags(processor, Number(a)),
  popFlags: (processor, a) => popFlags(processor, Number(a)),
  clearInterrupts, setInterrupts,
  clearAlignment: (processor) => setAlignment(processor, false),
  setAlignment: (processor) => setAlignment(processor, true),
  halt(processor) {
    demandPrivilege(processor);
    processor.registers.setNumber('activity', 1);
  },
};
