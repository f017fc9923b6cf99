/** What goes between interrupt controllers and processors (SDM volume 3, chapter "Advanced Programmable Interrupt Controller"). */

/** Delivery modes, as in the ICR, an LVT entry and a redirection entry. */
export const FIXED = 0;
export const LOWEST_PRIORITY = 1;
export const SMI = 2;
export const NMI = 4;
export const INIT = 5;
export const START_UP = 6;
export const EXT_INT = 7;

/** All processors, as a physical destination of 32 bits. */
export const BROADCAST = 0xffffffff;

/** Where messages for local APICs go in: of an IOAPIC, and of MSIs. */
export interface ApicMessages {
  /**
   * @param destination 8 bits: an APIC ID, FFh for all; or a logical destination
   * @param mode delivery mode
   * @param level whether it is level triggered, and its end has to be told
   */
  send(destination: number, logical: boolean, mode: number, vector: number, level: boolean): void;
}

/** What a processor is told other than by maskable interrupts. */
export interface ProcessorSignals {
  nmi(cpu: number): void;
  smi(cpu: number): void;
  /** Back to the state after INIT; but for the first processor it then waits for a start-up message. */
  init(cpu: number): void;
  /** A processor that waits for it starts in real mode at `page` * 4096. */
  startUp(cpu: number, page: number): void;
  /** A maskable interrupt is waiting that was not before: a processor in HLT may have to go on. */
  wake(cpu: number): void;
}
