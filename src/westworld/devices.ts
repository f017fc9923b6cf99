/** A host's memories and voice: which addresses are memory at all, and the port that its words go to. */

import type { Solution } from './hypervisor-sim.ts';

/** The first serial port of a PC, and how many ports it has. */
const COM1 = 0x3f8;
const COM1_PORTS = 8;
/** Its line status register, and what that says: ready to send (16550 data sheet). */
const LINE_STATUS = COM1 + 5;
const TRANSMITTER_EMPTY = 0x60;
const NOTHING = 0xff;

/** Whether a byte to this port is said aloud. */
export function isVoice(port: number): boolean {
  return port >= COM1 && port < COM1 + COM1_PORTS;
}

/** What a guest reads from a port: nearly everywhere nothing is. */
export function readPort(port: number): number {
  return port === LINE_STATUS ? TRANSMITTER_EMPTY : NOTHING;
}

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
