/** What a process holds beyond its guest's own memory, while the guest sleeps. */
import fs from 'node:fs';
import { progress } from '../containers/stage.ts';
import type { GuestImages } from './guest.ts';
import { guestEnd } from './markers.ts';
import { listen, type Command, type Failed } from './spawned.ts';

export interface MemoryRow {
  readonly name: string;
  readonly peakKb: number;
  /** Of the guest's memory, what is there. */
  readonly guestKb: number;
}

export interface Holder {
  readonly name: string;
  /** Bytes of the mapping that ends with the guest's memory. */
  readonly mapping: number;
  command(images: GuestImages): Command;
}

const pageBytes = 4096;
const limitMs = 60_000;

/** @param guestBytes of RAM that the guest has. @param failed told of a holder that did not come to the end */
export async function measureMemory(images: GuestImages, holders: readonly Holder[], guestBytes: number, failed: Failed): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = [];
  for (const { name, mapping, command } of holders) {
    progress(`memory: ${name}`);
    const look = (pid: number): void => void rows.push({ name, peakKb: peakOf(pid), guestKb: guestOf(pid, mapping, guestBytes) });
    await listen(command(images), (bytes) => bytes.includes(guestEnd), limitMs, look).catch(failed);
  }
  return rows;
}

function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function guestOf(pid: number, mapping: number, guestBytes: number): number {
  const ends = fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').flatMap((row) => {
    const [from = 0, to = 0] = (/^([0-9a-f]+)-([0-9a-f]+) rw/.exec(row)?.slice(1) ?? []).map((text) => parseInt(text, 16));
    return to - from === mapping ? [to] : [];
  });
  if (ends[0] === undefined) throw new Error(`process ${pid} has no mapping of ${mapping} bytes`);
  return (presentPages(pid, ends[0] - guestBytes, guestBytes) * pageBytes) / 1024;
}

/** Of pagemap's entries, 8 bytes for a page, bit 63 tells that it is there (the kernel's Documentation/admin-guide/mm/pagemap.rst). */
function presentPages(pid: number, from: number, bytes: number): number {
  const entries = Buffer.alloc((bytes / pageBytes) * 8);
  const file = fs.openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    fs.readSync(file, entries, 0, entries.length, (from / pageBytes) * 8);
  } finally {
    fs.closeSync(file);
  }
  let present = 0;
  for (let at = 7; at < entries.length; at += 8) if (((entries[at] ?? 0) & 0x80) !== 0) present++;
  return present;
}
