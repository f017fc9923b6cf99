import { X32_SYSCALL_BIT } from '../abi/syscall-numbers.ts';
import { jump, label, load, ret } from '../bpf/classic.ts';
import type { ClassicItem } from '../bpf/classic.ts';
import { SECCOMP_RET_KILL_THREAD } from './action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from './architecture.ts';
import { ruleItems } from './conditions.ts';
import { dataOffset } from './data.ts';
import { numberRanges } from './number-ranges.ts';
import type { NumberRange } from './number-ranges.ts';
import type { AbiRules, Rule, Verdict } from './rules.ts';
import { search } from './search.ts';

/** What a filter is made of: the rules of the ABIs that the profile lists. */
export interface Filter {
  readonly defaultAction: number;
  readonly x86_64: AbiRules;
  readonly i386: AbiRules | undefined;
  readonly x32: AbiRules | undefined;
}

/**
 * What a system call gets that comes from an ABI the profile does not list: the thread is killed, as by libseccomp. An unlisted
 * ABI has other numbers, so any other answer would be a way around every rule of the profile.
 */
const foreignAbiAction = SECCOMP_RET_KILL_THREAD;

/**
 * The program: the ABI first, then a binary search for the number, then conditions where there are any; all returns at the end.
 * Calls without conditions are decided by their number alone, so the kernel (5.11 and later) remembers which are allowed and
 * does not even run the program for them.
 */
export function filterItems(filter: Filter): ClassicItem[] {
  const goals = new Goals(filter.defaultAction);
  const other = goals.of(foreignAbiAction);
  const items: ClassicItem[] = [
    load(dataOffset.arch),
    jump('jeq', AUDIT_ARCH_X86_64, 'x86_64', filter.i386 ? undefined : other),
  ];
  if (filter.i386) {
    items.push(jump('jeq', AUDIT_ARCH_I386, undefined, other));
    items.push(...numberItems(numberRanges(filter.i386, filter.defaultAction, 0), goals));
  }
  items.push(label('x86_64'), ...numberItems([...numberRanges(filter.x86_64, filter.defaultAction, 0), ...x32Ranges(filter)], goals));
  return [...items, ...goals.items()];
}

/** x32 calls come with the same `arch` as x86-64 ones and differ in a bit of the number. */
function x32Ranges({ x32, defaultAction }: Filter): NumberRange[] {
  if (x32) return numberRanges(x32, defaultAction, X32_SYSCALL_BIT);
  // -1 is no x32 call: it is what a tracer writes to skip a call.
  return [{ from: X32_SYSCALL_BIT, verdict: foreignAbiAction }, { from: 0xffff_ffff, verdict: defaultAction }];
}

function numberItems(ranges: readonly NumberRange[], goals: Goals): ClassicItem[] {
  const labelled = ranges.map(({ from, verdict }) => ({ from, goal: goals.of(verdict) }));
  return [load(dataOffset.nr), ...search(labelled, () => goals.fresh())];
}

/** The ends of all searches: equal verdicts share one place in the program, whatever ABI they are for. */
class Goals {
  readonly #defaultAction: number;
  readonly #returns = new Map<number, string>();
  readonly #rules = new Map<string, readonly Rule[]>();
  readonly #labels = new Map<Verdict, string>();
  #count = 0;

  constructor(defaultAction: number) {
    this.#defaultAction = defaultAction;
  }

  fresh(): string {
    return `${this.#count++}`;
  }

  of(verdict: Verdict): string {
    let goal = this.#labels.get(verdict);
    if (goal === undefined) {
      goal = typeof verdict === 'number' ? this.#return(verdict) : rulesKey(verdict);
      if (typeof verdict !== 'number') this.#rules.set(goal, verdict);
      this.#labels.set(verdict, goal);
    }
    return goal;
  }

  items(): ClassicItem[] {
    const items: ClassicItem[] = [];
    const otherwise = this.of(this.#defaultAction);
    for (const [goal, rules] of this.#rules) {
      items.push(label(goal), ...ruleItems(rules, (action) => this.#return(action), otherwise, () => this.fresh()));
    }
    for (const [action, goal] of this.#returns) items.push(label(goal), ret(action));
    return items;
  }

  #return(action: number): string {
    let goal = this.#returns.get(action);
    if (goal === undefined) {
      goal = `return ${action}`;
      this.#returns.set(action, goal);
    }
    return goal;
  }
}

/** Rules with the same key are the same rules. */
function rulesKey(rules: readonly Rule[]): string {
  return rules.map(({ conditions, action }) =>
    `${conditions.map(({ argument, operator, mask, value }) => `${argument} ${operator} ${mask} ${value}`).join('&')}=${action}`).join('|');
}
