/** Interrupt lines between devices and controllers. */

import type { Line } from './device.ts';

/** A line that several devices share: up while one of them has it up. Gives each of them its end. */
export function shareLine(output: Line): () => Line {
  let holders = 0;
  return () => {
    let mine = false;
    return (up) => {
      if (up === mine) return;
      mine = up;
      holders += up ? 1 : -1;
      if (holders === (up ? 1 : 0)) output(up);
    };
  };
}

/** What takes interrupts: line `n` of a controller. */
export interface InterruptInputs {
  set(line: number, up: boolean): void;
}

/** Where IRQ 0 comes in at the IOAPIC: pin 2, since pin 0 was the 8259s'. The MADT says so with an interrupt source override. */
export const TIMER_PIN = 2;

/**
 * The sixteen IRQs of a PC, each at both controllers: IRQ n is input n of the 8259s and pin n of the IOAPIC, IRQ 0 its pin {@link TIMER_PIN}.
 * IRQ 2 is the cascade's and goes nowhere.
 * @returns gives a new end of an IRQ's line at each call
 */
export function isaLines(pic: InterruptInputs, ioapic: InterruptInputs): (irq: number) => Line {
  return sharedLines((irq, up) => {
    if (irq === 2) return;
    pic.set(irq, up);
    ioapic.set(irq === 0 ? TIMER_PIN : irq, up);
  });
}

/** The same for an engine that has both controllers itself, and routes IRQs as a PC does. */
export function engineLines(engine: InterruptInputs): (irq: number) => Line {
  return sharedLines((irq, up) => engine.set(irq, up));
}

function sharedLines(set: (irq: number, up: boolean) => void): (irq: number) => Line {
  const ends = Array.from({ length: 16 }, (_, irq) => shareLine((up) => set(irq, up)));
  return (irq) => (ends[irq] ?? shareLine(() => undefined))();
}
