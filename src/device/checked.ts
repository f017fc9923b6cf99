/** What a device demands of a state that comes from outside, before it goes on from it. */

import { DelosError } from '../lib/errors.ts';

function refuse(device: string, member: string, value: number): never {
  throw new DelosError('bad-snapshot', `the snapshot's ${device} has ${value} for ${member}, which it can't have`);
}

/** Unsigned members and the most that each can be. @throws DelosError `bad-snapshot` */
export function demandAtMost(device: string, members: Readonly<Record<string, readonly [value: number, most: number]>>): void {
  for (const [member, [value, most]] of Object.entries(members)) if (value > most) refuse(device, member, value);
}

/** Times and counts of pulses: whole numbers, which a clock of 2^53 nanoseconds can come to. @throws DelosError `bad-snapshot` */
export function demandWhole(device: string, members: Readonly<Record<string, number>>): void {
  for (const [member, value] of Object.entries(members)) if (!Number.isSafeInteger(value)) refuse(device, member, value);
}

/** Deadlines: numbers, or Infinity when there is none. @throws DelosError `bad-snapshot` */
export function demandDeadlines(device: string, members: Readonly<Record<string, number>>): void {
  for (const [member, value] of Object.entries(members)) if (!(value >= Number.MIN_SAFE_INTEGER)) refuse(device, member, value);
}
