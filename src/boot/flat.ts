import type { GuestMemory } from '../engine/memory.ts';
import { badKernel } from './image.ts';
import { putPiece } from './low-memory.ts';
import { realModeAt } from './start-state.ts';

const FIRST_DISK = 0x80;
const BOOT_SECTOR = 0x7c00;

/**
 * Code as it is, run from its first byte in real mode; at 0x7c00 it is where a BIOS puts a boot sector. The stack grows down from the code where that is low
 * enough for SS 0, else from 0x7c00.
 * @throws DelosError bad-kernel when there is no memory
 */
export function loadFlat(code: Uint8Array, address: number, memory: GuestMemory): Uint8Array {
  if (code.length === 0) throw badKernel('the image is empty');
  putPiece(memory, { address, bytes: code }, 'the image');
  return realModeAt(address, { rsp: address < 0x10000 ? address : BOOT_SECTOR, rdx: FIRST_DISK });
}
