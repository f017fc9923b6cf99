/**
 * A guest in real mode that counts: with each tick of the timer, a thousand a second, it says the next number by its serial port, as four
 * hexadecimal digits and a newline, and waits in HLT between. It needs its processor, timer, interrupt controller, port and memory to go on.
 */

const at = 0x7c00;
const counter = 0x600;

const word = (value: number): number[] => [value & 0xff, value >> 8];
/** mov al, value; out port, al */
const out = (port: number, ...values: readonly number[]): number[] => values.flatMap((value) => [0xb0, value, 0xe6, port]);
/** mov word [address], value */
const store = (address: number, value: number): number[] => [0xc7, 0x06, ...word(address), ...word(value)];

/** A digit of AX's copy in BX: rol bx, 4; mov al, bl; and al, 15; add al, '0'; cmp al, ':'; jb 1f; add al, 39; 1: out dx, al; and again, CX times */
const digit = [0xc1, 0xc3, 0x04, 0x88, 0xd8, 0x24, 0x0f, 0x04, 0x30, 0x3c, 0x3a, 0x72, 0x02, 0x04, 0x27, 0xee];

const handler = [
  // push ax, bx, cx, dx; mov bx, [counter]; mov cx, 4; mov dx, 0x3f8
  0x50, 0x53, 0x51, 0x52, 0x8b, 0x1e, ...word(counter), 0xb9, ...word(4), 0xba, ...word(0x3f8),
  ...digit, 0xe2, 0x100 - digit.length - 2,
  // mov al, '\n'; out dx, al; inc word [counter]; end of interrupt; pop dx, cx, bx, ax; iret
  0xb0, 0x0a, 0xee, 0xff, 0x06, ...word(counter), ...out(0x20, 0x20), 0x5a, 0x59, 0x5b, 0x58, 0xcf,
];

/** cli; xor ax, ax; mov ds, ax; mov ss, ax; mov sp, 0x7c00; the 8259 with vectors from 8 on, the timer alone unmasked; the 8254 each 1193 pulses */
const beginning = [
  0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xd0, 0xbc, ...word(at), ...out(0x20, 0x11), ...out(0x21, 8, 4, 1, 0xfe), ...out(0x43, 0x34), ...out(0x40, ...word(1193)),
];
const vector = 4 * 8;
const stores = 3 * 6;
/** sti; hlt; jmp to hlt */
const waiting = [0xfb, 0xf4, 0xeb, 0xfd];
const handlerAt = at + beginning.length + stores + waiting.length;

export const countingGuest = {
  kind: 'flat', address: at,
  code: Uint8Array.from([...beginning, ...store(vector, handlerAt), ...store(vector + 2, 0), ...store(counter, 0), ...waiting, ...handler]),
} as const;

/** What it says up to a number that it has said whole; undefined when it does not count one by one from `first`. */
export function countedTo(text: string, first = 0): number | undefined {
  const lines = text.split('\n').slice(0, -1);
  return lines.every((line, index) => line === (first + index).toString(16).padStart(4, '0')) ? first + lines.length : undefined;
}
