import { enumName, errnoName, flagNames } from '../abi/names.ts';
import { syscalls, type SyscallName } from '../abi/syscalls.ts';
import { argumentsOffset, base, headerSize, magic, noStatus, planFdOffset, reasonsOffset, statusOffset, stepSize, version } from './encode.ts';

const reportOffset = 24;

/** A call of a plan that the kernel refused, read back from the plan's own bytes. */
export interface Refusal {
  readonly call: SyscallName;
  /** The call with its arguments spelled in the kernel's names. */
  readonly text: string;
  /** Its name; empty when the call succeeded with a result other than the wanted one. */
  readonly errno: string;
  readonly result: number;
  /** A JSON pointer into config.json, or a few words. */
  readonly why: string;
}

/**
 * The report of a plan that has run, or undefined when nothing was refused. Every offset is checked: the bytes were writable by
 * the processes of the plan.
 */
export function readRefusal(bytes: Uint8Array): Refusal | undefined {
  const view = headerOf(bytes);
  const failed = view.getUint32(reportOffset, true);
  if (failed === 0) return undefined;
  const at = view.getUint32(12, true) + (failed - 1) * stepSize;
  if (failed > view.getUint32(16, true) || at + stepSize > bytes.length) throw new Error('assertion: the report names no step');
  const number = view.getUint32(at, true);
  const call = (Object.keys(syscalls) as SyscallName[]).find((name) => syscalls[name][0] === number);
  if (call === undefined) throw new Error(`assertion: the plan has a call ${number}`);
  const errno = view.getInt32(reportOffset + 4, true);
  return {
    call,
    text: `${call}(${readArguments(bytes, view, at, call).join(', ')})`,
    errno: errno === 0 ? '' : errnoName(errno),
    result: Number(view.getBigInt64(reportOffset + 8, true)),
    why: readReason(bytes, view, view.getUint16(at + 70, true)),
  };
}

/** What the executor exited with, for whoever is not its parent; undefined when it was killed. */
export function readStatus(bytes: Uint8Array): number | undefined {
  const status = headerOf(bytes).getInt32(statusOffset, true);
  return status === noStatus ? undefined : status;
}

/** Whether an executor has begun with the plan: it writes its descriptor into the plan first of all. */
export function wasTaken(bytes: Uint8Array): boolean {
  return headerOf(bytes).getInt32(planFdOffset, true) !== 0;
}

function headerOf(bytes: Uint8Array): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headerSize || view.getUint32(0, true) !== magic || view.getUint32(4, true) !== version) throw new Error('assertion: no plan');
  return view;
}

function readArguments(bytes: Uint8Array, view: DataView, at: number, call: SyscallName): string[] {
  const [, ...rows] = syscalls[call] as readonly [number, ...string[]];
  const contents = view.getUint32(at + 4, true);
  return rows.map((row, index) => {
    const colon = row.indexOf(':');
    const [kind = '', prefixes = ''] = row.slice(colon + 1).split(' ');
    const value = view.getBigInt64(argumentsOffset + 8 * index, true);
    // What a call has put into a cell is an int as often as not, with something else behind it.
    const isCell = (contents >> index) & 1;
    return `${row.slice(0, colon)}: ${isCell ? BigInt.asIntN(32, value) : valueText(bytes, value, kind, prefixes)}`;
  });
}

function valueText(bytes: Uint8Array, value: bigint, kind: string, prefixes: string): string {
  const at = Number(value) - base;
  if (kind === 'path' || kind === 'string') return at >= 0 && at < bytes.length ? JSON.stringify(textAt(bytes, at)) : 'NULL';
  if (kind === 'struct') return value === 0n ? 'NULL' : '…';
  if (kind === 'flags') return flagNames(prefixes, value);
  if (kind === 'enum') return enumName(prefixes, value);
  if (kind === 'octal') return `0${value.toString(8)}`;
  return kind === 'fd' && value === -100n ? 'AT_FDCWD' : String(value);
}

function textAt(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return new TextDecoder().decode(bytes.subarray(at, end < 0 ? bytes.length : end));
}

function readReason(bytes: Uint8Array, view: DataView, number: number): string {
  const start = view.getUint32(reasonsOffset, true);
  const size = view.getUint32(reasonsOffset + 4, true);
  return new TextDecoder().decode(bytes.subarray(start, start + size)).split('\0')[number] ?? '';
}
