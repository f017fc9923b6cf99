import { abis, syscallNumbers } from '../abi/syscall-numbers.ts';
import type { Abi, Numbers } from '../abi/syscall-numbers.ts';
import { permissiveness } from './action.ts';
import { narrow } from './condition.ts';
import type { Condition } from './condition.ts';
import type { Entry } from './entries.ts';
import { multiplexed } from './multiplexer.ts';

/** The action is returned if all conditions hold; there is at least one. */
export interface Rule {
  readonly conditions: readonly Condition[];
  readonly action: number;
}

/** What becomes of a system call: one answer always, or that of the first rule that holds, else the profile's default. */
export type Verdict = number | readonly Rule[];

/** What a profile says about the system calls of one ABI. */
export interface AbiRules {
  /** By number, without X32_SYSCALL_BIT; undefined where the profile says nothing. */
  readonly verdicts: readonly (Verdict | undefined)[];
  /** The largest number of a call the profile names, whatever its action; -1 if it names none. */
  readonly last: number;
}

/**
 * The verdicts of a profile for one ABI, in libseccomp's order of precedence: an entry without conditions decides, the first one if
 * there are several; else the entries' conditions are tried. (Where conditions with different actions overlap, libseccomp's order
 * is that of its own sorted tree; ours is the profile's.) Entries whose action is the default are left out, as runc does.
 */
export function rulesFor(abi: Abi, entries: readonly Entry[], defaultAction: number): AbiRules {
  const numbers = syscallNumbers();
  const column = abis.indexOf(abi);
  const verdicts = new Verdicts();
  const through = { socketcall: new Verdicts(), ipc: new Verdicts() };
  let last = -1;
  for (const entry of entries) {
    const own = entry.action === defaultAction ? undefined : narrowed(entry, abi);
    for (const name of entry.names) {
      const number = numberIn(numbers.get(name), column);
      if (number > last) last = number;
      if (!own) continue;
      if (number >= 0) verdicts.add(number, own);
      const gate = abi === 'i386' ? multiplexed(name) : undefined;
      if (gate) through[gate.through].add(gate.call, own);
    }
  }
  if (abi === 'i386') {
    for (const gate of ['socketcall', 'ipc'] as const) {
      const number = numberIn(numbers.get(gate), column);
      through[gate].byNumber.forEach((verdict, call) => {
        if (verdict !== undefined) verdicts.add(number, behindPointer(call, verdict, defaultAction));
      });
    }
  }
  return { verdicts: verdicts.byNumber, last };
}

class Verdicts {
  readonly byNumber: (number | Rule[] | undefined)[] = [];

  add(number: number, { action, alternatives }: Pick<Entry, 'action' | 'alternatives'>): void {
    const present = this.byNumber[number];
    if (typeof present === 'number') return;
    const rules = present ?? [];
    for (const conditions of alternatives) {
      if (conditions.length === 0) {
        this.byNumber[number] = action;
        return;
      }
      rules.push({ conditions, action });
    }
    if (rules.length > 0) this.byNumber[number] = rules;
  }
}

function numberIn(numbers: Numbers | undefined, column: number): number {
  return numbers?.[column] ?? -1;
}

function narrowed(entry: Entry, abi: Abi): Pick<Entry, 'action' | 'alternatives'> {
  if (abi === 'x86_64') return entry;
  return { action: entry.action, alternatives: entry.alternatives.map((conditions) => conditions.map(narrow)) };
}

/**
 * The verdict on a call that comes through a multiplexer. Its arguments lie behind a pointer, where a filter cannot look, so a rule
 * with conditions is followed only if it forbids more than the default does. (libseccomp follows it always: there, an i386 program
 * gets by socketcall what the conditions of an allowing rule were to keep from it.)
 */
function behindPointer(call: number, verdict: Verdict, defaultAction: number): Pick<Entry, 'action' | 'alternatives'> {
  const isCall: Condition = { argument: 0, operator: 'SCMP_CMP_EQ', value: BigInt(call), mask: 0xffff_ffffn };
  if (typeof verdict === 'number') return { action: verdict, alternatives: [[isCall]] };
  const stricter = verdict.find(({ action }) => permissiveness(action) < permissiveness(defaultAction));
  return stricter ? { action: stricter.action, alternatives: [[isCall]] } : { action: defaultAction, alternatives: [] };
}
