import { alignColumns } from '../../vocabulary/table.ts';
import { glossary, sayings } from '../../westworld/glossary.ts';

/** `delos westworld glossary`: the park and the machine, side by side. */
export async function run(): Promise<number> {
  const pairs = glossary.map(({ park, machine, because }) => [park, machine, because]);
  const said = Object.entries(sayings).map(([exit, words]) => [`"${words}"`, `KVM_EXIT_${exit}`]);
  process.stdout.write(`${alignColumns([['IN THE PARK', 'IN A MACHINE', 'BECAUSE IT'], ...pairs])}\n${alignColumns([['WHAT A HOST SAYS', 'VM EXIT'], ...said])}`);
  return 0;
}
