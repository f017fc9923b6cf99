import { dirname } from 'node:path/posix';
import { DelosError } from '../lib/errors.ts';
import type { Cpuset } from './ancestors.ts';
import { readControlFile } from './control-file.ts';
import type { CgroupDirectory } from './path.ts';

/** For cpusetWrites: which directories on the way are empty, and what the cgroup above them holds. @throws DelosError io. */
export function readCpusetFacts({ create }: CgroupDirectory): { readonly empty: readonly string[]; readonly parent: Cpuset } {
  const read = (directory: string, file: string): string => (readControlFile(directory, file) ?? '').trim();
  const empty = create.filter((directory) => read(directory, 'cpuset.cpus') === '' || read(directory, 'cpuset.mems') === '');
  const [first] = empty;
  const above = dirname(first ?? create[0] ?? '/');
  const parent = { cpus: read(above, 'cpuset.cpus'), mems: read(above, 'cpuset.mems') };
  if (first !== undefined && (parent.cpus === '' || parent.mems === '')) {
    throw new DelosError('unsupported', `${above}: expected a cpuset with processors and memory nodes, found none to hand down`);
  }
  return { empty, parent };
}

/** For subtreeWrites: what each ancestor that exists hands down already. */
export function readSubtreeFacts({ create }: CgroupDirectory): Record<string, string[]> {
  return Object.fromEntries(create.map((directory) => dirname(directory)).flatMap((directory) => {
    const text = readControlFile(directory, 'cgroup.subtree_control');
    return text === undefined ? [] : [[directory, text.split(/\s+/).filter((name) => name !== '')] as const];
  }));
}
