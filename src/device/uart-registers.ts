/** Bits of the 16550's registers, by the names of National's PC16550D data sheet and of Linux' serial_reg.h. */

export const IER_RDA = 0x01;
export const IER_THRE = 0x02;
export const IER_RLS = 0x04;
export const IER_MSR = 0x08;
export const IIR_NONE = 0x01;
export const IIR_MSR = 0x00;
export const IIR_THRE = 0x02;
export const IIR_RDA = 0x04;
export const IIR_RLS = 0x06;
export const IIR_TIMEOUT = 0x0c;
export const FCR_ENABLE = 0x01;
export const FCR_CLEAR_RECEIVER = 0x02;
export const FCR_CLEAR_TRANSMITTER = 0x04;
export const LCR_DLAB = 0x80;
export const MCR_LOOP = 0x10;
export const LSR_DR = 0x01;
export const LSR_OE = 0x02;
export const LSR_BI = 0x10;
/** Overrun, parity, framing, break: what the receiver line status interrupt is about. */
export const LSR_ERRORS = 0x1e;
export const LSR_THRE = 0x20;
export const LSR_TEMT = 0x40;
export const LSR_FIFO_ERROR = 0x80;
/** Data carrier, data set ready, clear to send: somebody is there. */
export const MSR_CONNECTED = 0xb0;
