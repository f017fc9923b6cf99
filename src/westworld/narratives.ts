/** Guests in machine code, by the pieces that they are made of. */

const dword = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];

export const hlt = [0xf4];
export const nop = [0x90];
export const out = [0xee];
export const cpuid = [0x0f, 0xa2];
export const rdtsc = [0x0f, 0x31];
export const vmcall = [0x0f, 0x01, 0xc1];
export const vmmcall = [0x0f, 0x01, 0xd9];
export const ud2 = [0x0f, 0x0b];
/** `mov dx, value` of 16 bits, `mov al, value` of 8, `mov eax, value` of 32. */
export const movDx = (value: number): number[] => [0xba, value & 0xff, value >> 8];
export const movAl = (value: number): number[] => [0xb0, value];
export const movEax = (value: number): number[] => [0x66, 0xb8, ...dword(value)];
/** `mov al, [address]` and `mov [address], al` with an address of 32 bits. */
export const loadAl = (address: number): number[] => [0x67, 0xa0, ...dword(address)];
export const storeAl = (address: number): number[] => [0x67, 0xa2, ...dword(address)];

/** Says a text on the first serial port and halts. */
export function saying(text: string): number[] {
  return [...movDx(0x3f8), ...[...text].flatMap((letter) => [...movAl(letter.charCodeAt(0)), ...out]), ...hlt];
}

/** The document's guest: 16 bytes that say "Hi!" and a newline. */
export const greeting = saying('Hi!\n');
