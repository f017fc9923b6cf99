import { RFLAGS } from '../builder.ts';
import { demandPrivilege, isReal } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { UD } from './processor.ts';

/** Instructions that do nothing but ask for a level, and ARPL. */
export const levelOperations: OperationTable = {
  /** INVD, WBINVD: nothing is cached that memory does not have. */
  demandSupervisor: demandPrivilege,
  demandProtected(processor) {
    if (isReal(processor)) processor.fault(UD);
  },
  /** Of what virtual-8086 mode does not know at all. */
  demandProtectedSupervisor(processor) {
    if (isReal(processor)) processor.fault(UD);
    demandPrivilege(processor);
  },
  /** #UD, whatever the operands say. */
  undefinedInstruction: (processor) => processor.fault(UD),
  /** General register, selector in it, the selector whose RPL is the least. */
  adjustLevelInRegister(processor, a, b, c) {
    if (isReal(processor)) processor.fault(UD);
    const flags = processor.flags();
    const raise = (b & 3n) < (c & 3n);
    processor.setFlags(raise ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF);
    if (raise) processor.registers.setGeneral(Number(a), (processor.registers.general(Number(a)) & ~3n) | (c & 3n));
  },
  /** Segment number, offset, selector. */
  adjustLevelInMemory(processor, a, b, c) {
    if (isReal(processor)) processor.fault(UD);
    const selector = processor.readSegment(Number(a), b, 2);
    const raise = (selector & 3n) < (c & 3n);
    processor.writeSegment(Number(a), b, 2, raise ? (selector & ~3n) | (c & 3n) : selector);
    const flags = processor.flags();
    processor.setFlags(raise ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF);
  },
};
