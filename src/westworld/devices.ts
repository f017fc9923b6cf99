/** A host's memories and voice: which addresses are memory at all, and the port that its words go to. */

import type { Solution } from './hypervisor-sim.ts';

/** The first serial port of a PC, and how many ports it has. */
export const COM1 = 0x3f8;
export const COM1_PORTS = 8;

export const devices: Solution = {
  ept_create(size) {
    const ept = this.calloc('EptContext', { size, violations: 0 });
    if (ept !== null) this.printf(`[EPT] Created EPT context for ${size} bytes\n`);
    return ept;
  },

  ept_destroy(ept) {
    this.free(ept);
  },

  serial_create() {
    return this.calloc('SerialPort', { base: COM1 });
  },

  serial_destroy(serial) {
    this.free(serial);
  },
};
