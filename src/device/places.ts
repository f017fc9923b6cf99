/** Where the devices of a PC are that ACPI's tables tell of too: one place for both. */

/** COM1 to COM4: port and IRQ. */
export const COM = [
  { port: 0x3f8, irq: 4 },
  { port: 0x2f8, irq: 3 },
  { port: 0x3e8, irq: 4 },
  { port: 0x2e8, irq: 3 },
] as const;

export const RTC_PORT = 0x70;
export const RTC_IRQ = 8;

export const KEYBOARD_DATA = 0x60;
export const KEYBOARD_CONTROL = 0x64;
export const KEYBOARD_IRQ = 1;

/** ACPI's fixed hardware, and its interrupt. */
export const PM_PORT = 0x600;
export const SCI_IRQ = 9;
