import type { GuestMemory } from '../engine/memory.ts';
import type { Piece } from './boot.ts';
import { badKernel } from './image.ts';
import { putPiece } from './low-memory.ts';
import { resetState } from './start-state.ts';

const TOP = 0x1_0000_0000;
/**
 * What of a ROM is below 1 MiB too, at most: a chipset with shadow RAM shows the last 128 KiB until the firmware has copied the rest and made it
 * writable. Here all of it is in RAM from the start, which firmware meets when it finds no chipset.
 */
const shadowed = 256 * 1024;
const largest = 16 * 1024 * 1024;

/**
 * Where a BIOS image belongs: it ends at 4 GiB. The machine needs a read-only region there before {@link loadFirmware}.
 * @throws DelosError bad-kernel for a size that no ROM has
 */
export function firmwarePlace(image: Uint8Array): Piece {
  if (image.length === 0 || image.length % 0x10000 !== 0 || image.length > largest) {
    throw badKernel(`the firmware has ${image.length} bytes; a BIOS image is a multiple of 64 KiB, at most ${largest}`);
  }
  return { address: TOP - image.length, bytes: image };
}

/** Puts a BIOS image at the top of 4 GiB and its end below 1 MiB; the processor begins as after RESET. */
export function loadFirmware(image: Uint8Array, memory: GuestMemory): Uint8Array {
  const place = firmwarePlace(image);
  putPiece(memory, place, 'the firmware');
  const low = image.subarray(Math.max(0, image.length - shadowed));
  putPiece(memory, { address: 0x100000 - low.length, bytes: low }, "the firmware's copy");
  return resetState();
}
