import * as abi from '../../abi/capability.ts';

const numbers: Readonly<Record<string, number>> = abi;
const names = new Map(Object.entries(numbers).filter(([name]) => name.startsWith('CAP_')).map(([name, number]) => [number, name]));

/** The capabilities of a mask as /proc/PID/status prints it; one without a name by its number. */
export function capabilityNames(mask: bigint): string[] {
  const found: string[] = [];
  for (let number = 0; number < 64; number++) {
    if ((mask >> BigInt(number) & 1n) === 1n) found.push(names.get(number) ?? String(number));
  }
  return found;
}
