import { syscalls } from '../../src/abi/syscalls.ts';
import { table } from './table.ts';

/** docs/reference/syscalls.md */
export function syscallsPage(): string {
  const rows = Object.entries<readonly [number, ...string[]]>(syscalls)
    .sort(([, [a]], [, [b]]) => a - b)
    .map(([name, [number, ...args]]) => [`\`${name}\``, number < 0x10000 ? String(number) : 'executor', args.map((arg) => `\`${arg}\``).join(', ')]);
  return [
    '# The calls of a plan',
    'A plan is made of these and of nothing else. The number is that of x86-64; a call marked `executor` is done by native/exec.c itself. An argument is `name:kind`, where the kind is how `--explain` spells its value.',
    table(['call', 'number', 'arguments'], rows),
  ].join('\n\n');
}
