import { RFLAGS } from '../builder.ts';
import type { PagingMode } from '../paging.ts';
import type { Registers } from '../registers.ts';

/** The control registers as numbers; AC of RFLAGS as emitted code leaves it. */
export class PagingState implements PagingMode {
  readonly #registers: Registers;
  cr0 = 0;
  cr3 = 0;
  cr4 = 0;
  efer = 0;
  /** For an access of the processor's own, which SMAP is never lifted for (SDM volume 3, 4.6.1). */
  implicit = false;

  constructor(registers: Registers) {
    this.#registers = registers;
  }

  get lifted(): boolean {
    return !this.implicit && (this.#registers.number('rflags') & RFLAGS.AC) !== 0;
  }
}
