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
function* vectorsOf(silicon: Uint8Array, own: Uint8Array, withoutC1: boolean): Generator<string> {
  const [real, ours] = [silicon, own].map((fx) => Uint8Array.from(fx, (byte, at) => (withoutC1 && at === 3 ? byte & ~2 : byte))) as [Uint8Array, Uint8Array];
  for (let at = 0; at < 416; at += 16) {
    const part = (fx: Uint8Array): string => Array.from(fx.subarray(at, at + 16), (byte, offset) => (
      (at + offset >= 6 && at + offset < 24) || (at + offset >= 28 && at + offset < 32) ? '..' : hex(byte).padStart(2, '0')
    )).join('');
    if (part(real) !== part(ours)) yield `state at ${at}: silicon ${part(real)}, ours ${part(ours)}`;
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

/**
 * KVM of these machines runs instructions that end with #GP or #SS once more by itself, and says #UD of those it does not know. MMX's instructions
 * with a fault have set x87's tags or have not, by maker.
 */
function asSilicon({ instruction }: Generated, real: Result, ours: Outcome): Pick<Outcome, 'outcome' | 'exception' | 'fx'> {
  const { outcome, exception } = ours;
  const again = real.exception?.vector === 6 && (exception?.vector === 13 || exception?.vector === 12);
  const fx = ours.fx.slice();
  if (instruction.operands.some((code) => /^[PQN]/.test(code)) && exception !== undefined) fx[4] = real.fx[4] as number;
  if (/^R(?:CP|SQRT)[PS]S$/.test(instruction.name)) nearEnough(fx, real.fx);
  return { outcome, fx, exception: again ? { ...exception, vector: 6 } : exception };
}

/** One line for each thing, empty when they agree. */
export function differences(generated: Generated, real: Result, given: Outcome): string[] {
  const ours = { ...given, ...asSilicon(generated, real, given) };
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
  say('memory', changes(real.changes), changes([...ours.changes]));
  found.push(...vectorsOf(real.fx, ours.fx, generated.instruction.undefinedFlags === 'C1'));
  return found;
}
