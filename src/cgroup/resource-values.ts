import { badValue, INT64_MAX, integerOf, textOf, UINT32_MAX } from './field-check.ts';
import type { Integer, LinuxResources } from './linux-resources.ts';

/** A number of which 0 is a value like others. */
export function optional(value: Integer | undefined, at: string, min: bigint, max: bigint): bigint | undefined {
  return value === undefined ? undefined : integerOf(value, at, min, max);
}

/** Most numbers of config.json mean "not set" when they are 0, as in the runtimes that write them out. */
export function unlessZero(value: Integer | undefined, at: string, min: bigint, max: bigint = INT64_MAX): bigint | undefined {
  return isSet(value) ? integerOf(value, at, min, max) : undefined;
}

/** An empty list asks for nothing, so not for its controller either. */
export function unlessEmpty<Item>(list: readonly Item[] | undefined): readonly Item[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

/** The field is there and not 0. */
export function isSet(value: Integer | undefined): value is Integer {
  return value !== undefined && value !== 0 && value !== 0n;
}

/** `0-3,8,16-31:2/4`, cpuset(7) "Formats for lists", and the group form of the kernel's bitmap_parselist. */
export function numberList(list: string | undefined, at: string): string | undefined {
  if (list === undefined || list === '') return undefined;
  return textOf(list, at, /^\d+(-\d+(:\d+\/\d+)?)?(,\d+(-\d+(:\d+\/\d+)?)?)*$/, 'a list such as 0-3,8');
}

/** Microseconds in a period; -1 means no limit. The kernel takes none below a millisecond. */
export function quotaOf({ cpu }: LinuxResources, at: string): bigint | undefined {
  const quota = unlessZero(cpu?.quota, at, -1n);
  if (quota !== undefined && quota > 0n && quota < 1000n) throw badValue(at, 'at least 1000, or -1 for no limit', quota);
  return quota;
}

/** Microseconds. Its range is checked where it is a row of its own. */
export function periodOf({ cpu }: LinuxResources): bigint | undefined {
  return isSet(cpu?.period) ? BigInt(cpu.period) : undefined;
}

/** Microseconds that may be saved up; 0 takes them away. */
export function burstOf({ cpu }: LinuxResources, at: string): bigint | undefined {
  return optional(cpu?.burst, at, 0n, INT64_MAX);
}

/** Bytes; -1 means no limit. */
export function limitOf({ memory }: LinuxResources, at: string): bigint | undefined {
  return unlessZero(memory?.limit, at, -1n);
}

/** Memory and swap together. No limit of memory means no limit of both, unless another is given. */
export function swapOf(resources: LinuxResources, at: string): bigint | undefined {
  const limit = limitOf(resources, '/linux/resources/memory/limit');
  const swap = unlessZero(resources.memory?.swap, at, -1n);
  if (swap === undefined) return limit === -1n ? -1n : undefined;
  if (swap >= 0n && limit !== undefined && swap < limit) {
    throw badValue(at, `at least the memory limit of ${limit}, which it includes`, swap);
  }
  return swap;
}

/** config-linux.md: 10 to 1000. */
export function blockIoWeight(weight: Integer | undefined, at: string): bigint | undefined {
  return unlessZero(weight, at, 10n, 1000n);
}

/** `8:0`. */
export function deviceNumber({ major, minor }: { major: Integer; minor: Integer }, at: string): string {
  return `${integerOf(major, `${at}/major`, 0n, UINT32_MAX)}:${integerOf(minor, `${at}/minor`, 0n, UINT32_MAX)}`;
}
