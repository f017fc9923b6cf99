/**
 * ./dev bench vm [--exits] [--quick]: virtual machines beside the field's programs.
 *
 * --exits: what our code adds to an exit from KVM.
 */
import { parseArgs } from 'node:util';
import { noKvm } from '../test/support/guest.ts';
import { measureExits, type ExitRow } from './vm/exits.ts';

const { values } = parseArgs({ options: { exits: { type: 'boolean' }, quick: { type: 'boolean', default: false } } });

function exitTable(rows: readonly ExitRow[]): string {
  const lines = rows.map(({ name, c, delos, target }) => {
    const added = delos - c;
    const verdict = target === undefined ? '' : added <= target ? `  (at most ${target}: reached)` : `  (at most ${target}: MISSED)`;
    return `  ${name.padEnd(64)} ${c.toFixed(0).padStart(7)} ${delos.toFixed(0).padStart(7)} ${added.toFixed(0).padStart(7)}${verdict}`;
  });
  return ['An exit from KVM, ns, least of all rounds'.padEnd(67) + '      C   delos   added', ...lines].join('\n');
}

if (noKvm === false) console.log(exitTable(measureExits(values.quick ? 3 : 15)));
else console.log(`no exits from KVM: ${noKvm}`);
