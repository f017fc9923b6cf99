import { SEGMENT, type SegmentState } from '../registers.ts';
import { UNUSABLE } from '../state.ts';

/** Whether bytes of a segment may be read or written, outside of 64-bit mode (SDM volume 3, 5.3 to 5.5). */
export function allowsAccess({ attributes, limit }: SegmentState, offset: number, bytes: number, write: boolean): boolean {
  if ((attributes & UNUSABLE) !== 0 || (attributes & SEGMENT.present) === 0) return false;
  const code = (attributes & SEGMENT.code) !== 0;
  if (write ? code || (attributes & SEGMENT.writable) === 0 : code && (attributes & SEGMENT.readable) === 0) return false;
  const last = offset + bytes - 1;
  if (code || (attributes & SEGMENT.expandDown) === 0) return last <= limit;
  return offset > limit && last <= ((attributes & SEGMENT.big) !== 0 ? 0xffffffff : 0xffff);
}
