/** The smallest bzImage there is: however it is entered it sends one byte to the first serial port and resets the machine. Documentation/x86/boot.rst. */

const sector = 512;
const header = { setupSects: 0x1f1, bootFlag: 0x1fe, jump: 0x200, magic: 0x202, version: 0x206, loadFlags: 0x211, code32Start: 0x214, heapEnd: 0x224 } as const;
const newer = { initrdMax: 0x22c, alignment: 0x230, relocatable: 0x234, loadable64: 0x236, commandLine: 0x238, preferred: 0x258, initSize: 0x260 } as const;
const headerEnd = 0x268;
const mebibyte = 0x100000;

export const smallKernelSays = 'R';

// mov dx, 0x3f8; mov al, 'R'; out dx, al; mov al, 0xfe; out 0x64, al; hlt; jmp back
const real = [0xba, 0xf8, 0x03, 0xb0, smallKernelSays.charCodeAt(0), 0xee, 0xb0, 0xfe, 0xe6, 0x64, 0xf4, 0xeb, 0xfd];
/** The same in 32 and in 64 bits. */
const wide = [0x66, ...real];

/** Setup code for those that begin in real mode; behind it the 32-bit entry, and 0x200 on the 64-bit one. */
export function smallKernel(): Uint8Array {
  const image = new Uint8Array(4 * sector);
  const view = new DataView(image.buffer);
  image[header.setupSects] = 1;
  view.setUint16(header.bootFlag, 0xaa55, true);
  image.set([0xeb, headerEnd - header.jump - 2], header.jump);
  image.set(new TextEncoder().encode('HdrS'), header.magic);
  view.setUint16(header.version, 0x20f, true);
  // LOADED_HIGH, CAN_USE_HEAP
  image[header.loadFlags] = 0x81;
  view.setUint32(header.code32Start, mebibyte, true);
  view.setUint16(header.heapEnd, 0xfe00, true);
  view.setUint32(newer.initrdMax, 0x7fffffff, true);
  view.setUint32(newer.alignment, 2 * mebibyte, true);
  image[newer.relocatable] = 1;
  // XLF_KERNEL_64
  view.setUint16(newer.loadable64, 1, true);
  view.setUint32(newer.commandLine, 255, true);
  view.setUint32(newer.preferred, 16 * mebibyte, true);
  view.setUint32(newer.initSize, mebibyte, true);
  image.set(real, headerEnd);
  for (const entry of [0, 0x200]) image.set(wide, 2 * sector + entry);
  return image;
}
