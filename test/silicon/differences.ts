/** What an emulated case and silicon's result disagree in, as far as it is defined. */

import { RFLAGS } from '../../src/cpu/builder.ts';
import type { Outcome } from './emulated.ts';
import type { Generated } from './generate.ts';
import type { Result } from './silicon.ts';

/** CF PF AF ZF SF DF OF. */
const compared = 0xcd5;

const hex = (value: number | bigint): string => value.toString(16);

function flagsOf({ instruction }: Generated): number {
  const left = (instruction.undefinedFlags ?? '').split(' ').filter((name) => name in RFLAGS);
  return left.reduce((mask, name) => mask & ~RFLAGS[name as keyof typeof RFLAGS], compared);
}

/** An exception as far as it says the same on all processors. */
function exceptionOf({ outcome, exception }: Pick<Outcome, 'outcome' | 'exception'>): string {
  if (exception === undefined) return outcome;
  return `exception ${exception.vector} error ${hex(exception.errorCode)}${exception.vector === 14 ? ` at ${hex(exception.cr2)}` : ''}`;
}

/** x87, MMX and SSE, but for the pointers and what is reserved. */
function* vectorsOf(silicon: Uint8Array, own: Uint8Array, before: Uint8Array, withoutC1: boolean): Generator<string> {
  const [real, ours] = [silicon, own].map((fx) => Uint8Array.from(fx, (byte, at) => (withoutC1 && at === 3 ? byte & ~2 : byte))) as [Uint8Array, Uint8Array];
  for (let at = 0; at < 416; at += 16) {
    const part = (fx: Uint8Array): string => Array.from(fx.subarray(at, at + 16), (byte, offset) => (
      (at + offset >= 6 && at + offset < 24) || (at + offset >= 28 && at + offset < 32) ? '..' : hex(byte).padStart(2, '0')
    )).join('');
    if (part(real) !== part(ours)) yield `state at ${at} (was ${part(before)}): silicon ${part(real)}, ours ${part(ours)}`;
  }
}

/** What SDM volume 2 allows RCPPS and RSQRTPS, of both sides. */
const approximation = 2 * 1.5 * 2 ** -12;

/** Lanes that are approximations of the same are taken over. */
function nearEnough(ours: Uint8Array, real: Uint8Array): void {
  const [own, silicon] = [ours, real].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset)) as [DataView, DataView];
  for (let at = 160; at < 416; at += 4) {
    const wanted = silicon.getFloat32(at, true);
    if (Math.abs(own.getFloat32(at, true) - wanted) <= Math.abs(wanted) * approximation) own.setUint32(at, silicon.getUint32(at, true), true);
  }
}

/** x87's transcendental functions may be one unit of the last place off (SDM volume 1, 8.3.10): what differs by so much is taken over. */
function oneUnit(ours: Uint8Array, real: Uint8Array): void {
  const [own, silicon] = [ours, real].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset)) as [DataView, DataView];
  for (let at = 32; at < 160; at += 16) {
    const distance = silicon.getBigUint64(at, true) - own.getBigUint64(at, true);
    if (distance === 1n || distance === -1n) own.setBigUint64(at, silicon.getBigUint64(at, true), true);
  }
}

/** Whether MMX has been entered and no more: x87's registers are where they were, counted from register 0. */
function isTurned(before: Uint8Array, ours: Uint8Array): boolean {
  const top = ((before[3] as number) >> 3) & 7;
  return Array.from({ length: 128 }, (_, at) => ours[32 + ((at + 16 * top) % 128)] === before[32 + at]).every(Boolean)
    || Buffer.compare(ours.subarray(32, 160), before.subarray(32, 160)) === 0;
}

/**
 * KVM of these machines runs instructions that end with #GP or #SS once more by itself, and says #UD of those it does not know. MMX's instructions
 * with a fault have set x87's tags, and its stack's top to 0, or have not, by maker.
 */
function asSilicon({ instruction, case: { fx: before } }: Generated, real: Result, ours: Outcome): Pick<Outcome, 'outcome' | 'exception' | 'fx'> {
  const { outcome, exception } = ours;
  const again = real.exception?.vector === 6 && (exception?.vector === 13 || exception?.vector === 12);
  const fx = ours.fx.slice();
  if (before !== undefined && exception !== undefined && instruction.operands.some((code) => /^[PQN]/.test(code)) && isTurned(before, ours.fx)) fx.set(real.fx.subarray(0, 160));
  if (/^R(?:CP|SQRT)[PS]S$/.test(instruction.name)) nearEnough(fx, real.fx);
  if (instruction.undefinedFlags === 'C1') oneUnit(fx, real.fx);
  return { outcome, fx, exception: again ? { ...exception, vector: 6 } : exception };
}

/** Of FXSAVE's image all but the pointers and what is reserved: from, to. */
const fxParts = [[0, 6], [24, 28], [32, 416]] as const;

/** Whether nothing at all differs, which is nearly always and has to be fast. */
function same(generated: Generated, real: Result, ours: Outcome): boolean {
  const { outcome, rip, rflags, exception, registers, changes } = ours;
  if (outcome !== real.outcome || rip !== real.rip || (Number(rflags ^ real.rflags) & flagsOf(generated)) !== 0) return false;
  if (exception !== undefined && exceptionOf({ outcome, exception }) !== exceptionOf(real as Pick<Outcome, 'outcome' | 'exception'>)) return false;
  if (ours.fsBase !== real.fsBase || ours.gsBase !== real.gsBase || !registers.every((value, number) => value === real.registers[number])) return false;
  const theirs = real.changes;
  if (changes.length !== theirs.length || changes.some(({ address, value }, at) => address !== theirs[at]?.address || value !== theirs[at].value)) return false;
  return fxParts.every(([from, to]) => Buffer.compare(ours.fx.subarray(from, to), real.fx.subarray(from, to)) === 0);
}

/** One line for each thing, empty when they agree. */
export function differences(generated: Generated, real: Result, given: Outcome): string[] {
  if (same(generated, real, given)) return [];
  const ours = { ...given, ...asSilicon(generated, real, given) };
  if (same(generated, real, ours)) return [];
  const found: string[] = [];
  const say = (what: string, silicon: string, own: string): void => {
    if (silicon !== own) found.push(`${what}: silicon ${silicon}, ours ${own}`);
  };
  say('outcome', exceptionOf(real as Pick<Outcome, 'outcome' | 'exception'>), exceptionOf(ours));
  say('rip', hex(real.rip), hex(ours.rip));
  real.registers.forEach((value, number) => say(`register ${number} (was ${hex(generated.case.registers[number] ?? 0n)})`, hex(value), hex(ours.registers[number] ?? 0n)));
  const mask = flagsOf(generated);
  say(`flags (were ${hex(generated.case.rflags & mask)})`, hex(Number(real.rflags) & mask), hex(Number(ours.rflags) & mask));
  const changes = (list: Result['changes']): string => list.map(({ address, value }) => `${hex(address)}=${hex(value)}`).join(' ');
  say('FS base', hex(real.fsBase), hex(ours.fsBase));
  say('GS base', hex(real.gsBase), hex(ours.gsBase));
  say('memory', changes(real.changes), changes([...ours.changes]));
  found.push(...vectorsOf(real.fx, ours.fx, generated.case.fx ?? new Uint8Array(512), generated.instruction.undefinedFlags === 'C1'));
  return found;
}
