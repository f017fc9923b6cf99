import type { Registers } from '../registers.ts';

/** Which of the four breakpoints in DR0 to DR3 are on executing the instruction at a linear address: bits of DR6 (SDM volume 3, 17.2). */
export function executionBreakpoints(registers: Registers, linear: bigint): number {
  const dr7 = registers.number('dr7');
  let hit = 0;
  for (const [at, name] of (['dr0', 'dr1', 'dr2', 'dr3'] as const).entries()) {
    const enabled = (dr7 >> (2 * at)) & 3;
    const kind = (dr7 >>> (16 + 4 * at)) & 0xf;
    if (enabled !== 0 && kind === 0 && registers.wide(name) === linear) hit |= 1 << at;
  }
  return hit;
}
