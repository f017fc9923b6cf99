import { syscallNumbers } from '../abi/syscall-numbers.ts';
import { parseAction } from './action.ts';
import { parseCondition } from './condition.ts';
import type { Condition } from './condition.ts';
import { unexpected } from './invalid.ts';
import { multiplexed } from './multiplexer.ts';
import type { SeccompEntry, SeccompProfile } from './profile.ts';

/** An entry of `syscalls`, checked. */
export interface Entry {
  readonly names: readonly string[];
  /** What the filter returns. */
  readonly action: number;
  /** The action is taken if all conditions of any alternative hold; without conditions always. */
  readonly alternatives: readonly (readonly Condition[])[];
}

/** @throws DelosError bad-config that names the property */
export function parseEntries(profile: SeccompProfile): Entry[] {
  return (profile.syscalls ?? []).map(parseEntry);
}

/** The names that no ABI of this machine has: calls of other machines, of newer kernels, misspelled ones. They are left out. */
export function unknownNames(entries: readonly Entry[]): string[] {
  const numbers = syscallNumbers();
  const unknown = new Set<string>();
  for (const { names } of entries) {
    for (const name of names) if (!numbers.has(name) && !multiplexed(name)) unknown.add(name);
  }
  return [...unknown];
}

function parseEntry(entry: SeccompEntry, index: number): Entry {
  const path = ['syscalls', index];
  if (entry.names.length === 0) throw unexpected([...path, 'names'], 'at least one name', entry.names);
  const empty = entry.names.indexOf('');
  if (empty >= 0) throw unexpected([...path, 'names', empty], 'the name of a system call', '');
  const action = parseAction(entry.action, entry.errnoRet, [...path, 'action'], [...path, 'errnoRet']);
  const conditions = (entry.args ?? []).map((argument, at) => parseCondition(argument, [...path, 'args', at]));
  return { names: entry.names, action, alternatives: alternatives(conditions) };
}

/** Conditions are joined by "and", but if two are on one argument each stands alone: what runc does, and profiles rely on. */
function alternatives(conditions: readonly Condition[]): readonly (readonly Condition[])[] {
  const distinct = new Set(conditions.map(({ argument }) => argument));
  return distinct.size === conditions.length ? [conditions] : conditions.map((condition) => [condition]);
}
