import { and, jump, jumpAlways, label, load } from '../bpf/classic.ts';
import type { ClassicItem, Condition as Comparison } from '../bpf/classic.ts';
import { holds } from './condition.ts';
import type { Condition } from './condition.ts';
import { highWord, lowWord } from './data.ts';
import type { Rule } from './rules.ts';
import { search, searchArgument } from './search.ts';
import type { Fresh, Range } from './search.ts';

/** How a program names the place that returns an action. */
export type ReturnLabel = (action: number) => string;

/**
 * The rules of one system call, tried in their order.
 * @param otherwise where to go if none holds
 */
export function ruleItems(rules: readonly Rule[], returnLabel: ReturnLabel, otherwise: string, fresh: Fresh): ClassicItem[] {
  const items: ClassicItem[] = [];
  for (let at = 0; at < rules.length; ) {
    const run = comparableRun(rules, at);
    const next = at + run.length === rules.length ? otherwise : fresh();
    items.push(...(run.length > 1 ? oneSearch(run, returnLabel, next, fresh) : oneRule(run[0] as Rule, returnLabel, next, fresh)));
    if (next !== otherwise) items.push(label(next));
    at += run.length;
  }
  return items;
}

/** The rule at `start` and those after it, as long as each only compares the same argument: they can be one search. */
function comparableRun(rules: readonly Rule[], start: number): readonly Rule[] {
  const argument = comparedArgument(rules[start]);
  const end = argument === undefined ? start + 1 : rules.findIndex((rule, at) => at > start && comparedArgument(rule) !== argument);
  return rules.slice(start, end < 0 ? rules.length : end);
}

function comparedArgument(rule: Rule | undefined): number | undefined {
  const only = rule?.conditions.length === 1 ? rule.conditions[0] : undefined;
  return only && only.operator !== 'SCMP_CMP_MASKED_EQ' ? only.argument : undefined;
}

/** Many comparisons of one argument: its values fall into ranges, and each range has one answer. */
function oneSearch(rules: readonly Rule[], returnLabel: ReturnLabel, otherwise: string, fresh: Fresh): ClassicItem[] {
  const { argument, mask } = compared(rules[0] as Rule);
  const cuts = new Set([0n]);
  for (const rule of rules) {
    const { value } = compared(rule);
    cuts.add(value);
    if (value < mask) cuts.add(value + 1n);
  }
  const firstThatHolds = chooser(rules);
  const ranges: Range<bigint>[] = [...cuts].sort((a, b) => (a < b ? -1 : 1)).map((from) => {
    const rule = rules[firstThatHolds(from)];
    return { from, goal: rule ? returnLabel(rule.action) : otherwise };
  });
  if (mask > 0xffff_ffffn) return searchArgument(argument, ranges, fresh);
  return [load(lowWord(argument)), ...search(ranges.map(({ from, goal }) => ({ from: Number(from), goal })), fresh)];
}

/** Gives for a value the index of the first rule that holds, Infinity for none. Equalities, of which lists are made, are looked up. */
function chooser(rules: readonly Rule[]): (value: bigint) => number {
  const equal = new Map<bigint, number>();
  const others: number[] = [];
  rules.forEach((rule, index) => {
    const { operator, value } = compared(rule);
    if (operator !== 'SCMP_CMP_EQ') others.push(index);
    else if (!equal.has(value)) equal.set(value, index);
  });
  return (value) => {
    const other = others.find((index) => holds(compared(rules[index] as Rule), value));
    return Math.min(other ?? Infinity, equal.get(value) ?? Infinity);
  };
}

/** The only condition of a rule that is part of a run. */
function compared(rule: Rule): Condition {
  return rule.conditions[0] as Condition;
}

function oneRule({ conditions, action }: Rule, returnLabel: ReturnLabel, otherwise: string, fresh: Fresh): ClassicItem[] {
  return conditions.flatMap((condition, index) => {
    if (index === conditions.length - 1) return conditionItems(condition, returnLabel(action), otherwise);
    const next = fresh();
    return [...conditionItems(condition, next, otherwise), label(next)];
  });
}

/** A 64-bit comparison out of 32-bit ones; goes to `yes` or `no`. Half a mask of zeros is a half that need not be looked at. */
function conditionItems(condition: Condition, yes: string, no: string): ClassicItem[] {
  switch (condition.operator) {
    case 'SCMP_CMP_EQ':
    case 'SCMP_CMP_MASKED_EQ':
      return equalItems(condition, yes, no);
    case 'SCMP_CMP_NE':
      return equalItems(condition, no, yes);
    case 'SCMP_CMP_GT':
      return orderItems(condition, 'jgt', yes, no);
    case 'SCMP_CMP_LE':
      return orderItems(condition, 'jgt', no, yes);
    case 'SCMP_CMP_GE':
      return orderItems(condition, 'jge', yes, no);
    case 'SCMP_CMP_LT':
      return orderItems(condition, 'jge', no, yes);
  }
}

interface Half {
  readonly offset: number;
  readonly mask: number;
  readonly value: number;
}

function equalItems(condition: Condition, yes: string, no: string): ClassicItem[] {
  const [high, low] = halves(condition);
  const tested = [high, low].filter(({ mask }) => mask !== 0);
  if (tested.length === 0) return [jumpAlways(yes)];
  return tested.flatMap(({ offset, mask, value }, index) => [
    load(offset),
    ...(mask === 0xffff_ffff ? [] : [and(mask)]),
    jump('jeq', value, index === tested.length - 1 ? yes : undefined, no),
  ]);
}

function orderItems(condition: Condition, comparison: Comparison, yes: string, no: string): ClassicItem[] {
  const [high, low] = halves(condition);
  const last = [load(low.offset), jump(comparison, low.value, yes, no)];
  if (high.mask === 0) return last;
  return [load(high.offset), jump('jgt', high.value, yes, undefined), jump('jeq', high.value, undefined, no), ...last];
}

function halves({ argument, mask, value }: Condition): [high: Half, low: Half] {
  return [
    { offset: highWord(argument), mask: Number(mask >> 32n), value: Number(value >> 32n) },
    { offset: lowWord(argument), mask: Number(mask & 0xffff_ffffn), value: Number(value & 0xffff_ffffn) },
  ];
}
