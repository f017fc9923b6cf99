import { enumName, flagNames } from '../abi/names.ts';
import { syscalls } from '../abi/syscalls.ts';
import { Address, Block, Cell } from './block.ts';
import { Label, type Arg, type Item, type Plan, type Step } from './step.ts';

/** A step as --explain=json prints it. */
export interface ExplainedStep {
  readonly section: string;
  /** Names of the place that this step is, for `accepts` and arguments of other steps. */
  readonly labels?: readonly string[];
  readonly call: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly result?: string;
  readonly accepts?: readonly string[];
  readonly why: string;
}

/**
 * One step as people read it: `mount(source: "proc", …) -> fd`.
 * @returns the call with its arguments spelled in the kernel's names
 */
export function explainStep(step: Step): string {
  const args = Object.entries(explainArguments(step)).map(([name, text]) => `${name}: ${text}`);
  return `${step.call}(${args.join(', ')})${step.out ? ` -> ${step.out.name}` : ''}`;
}

/** The whole plan as text: a heading a section, a line a step, the reason behind it. */
export function explainText(plan: Plan): string {
  const lines: string[] = [];
  const targets = targetsOf(plan);
  for (const section of plan.sections) {
    lines.push(`${lines.length > 0 ? '\n' : ''}${section.name}:`);
    for (const { labels, step } of labelled(section.items, targets)) lines.push(...labels.map((name) => ` ${name}:`), stepLine(step));
  }
  return `${lines.join('\n')}\n`;
}

/** The whole plan as data for --explain=json. */
export function explainJson(plan: Plan): ExplainedStep[] {
  const targets = targetsOf(plan);
  return plan.sections.flatMap(({ name, items }) => labelled(items, targets).map(({ labels, step }) => explainedStep(name, labels, step)));
}

/** The places that a step goes on at; the others are of no interest. */
function targetsOf(plan: Plan): Set<Label> {
  const steps = plan.sections.flatMap(({ items }) => items).filter((item): item is Step => !(item instanceof Label));
  return new Set(steps.flatMap(({ args, accept = {}, child }) => [...args, ...Object.values(accept), child].filter((to) => to instanceof Label)));
}

/** Each step with the names of the places just before it. */
function labelled(items: readonly Item[], targets: ReadonlySet<Label>): { readonly labels: readonly string[]; readonly step: Step }[] {
  let labels: string[] = [];
  return items.flatMap((item) => {
    if (item instanceof Label) {
      if (targets.has(item)) labels.push(item.name);
      return [];
    }
    const row = { labels, step: item };
    labels = [];
    return [row];
  });
}

function stepLine(step: Step): string {
  const accepts = acceptTexts(step);
  return `  ${explainStep(step)}${accepts.length > 0 ? `  [${accepts.join(', ')}]` : ''}  # ${step.why}`;
}

function explainedStep(section: string, labels: readonly string[], step: Step): ExplainedStep {
  const accepts = acceptTexts(step);
  return {
    section,
    ...(labels.length > 0 && { labels }),
    call: step.call,
    arguments: explainArguments(step),
    ...(step.out && { result: step.out.name }),
    ...(accepts.length > 0 && { accepts }),
    why: step.why,
  };
}

function acceptTexts(step: Step): string[] {
  const texts = Object.entries(step.accept ?? {}).map(([name, to]) => (to instanceof Label ? `${name}: ${to.name}` : `${name}: go on`));
  if (step.want !== undefined) texts.push(`must be ${step.want}`);
  if (step.child) texts.push(`child: ${step.child.name}`);
  return texts;
}

function explainArguments(step: Step): Record<string, string> {
  const [, ...names] = syscalls[step.call] as readonly [number, ...string[]];
  const explained: Record<string, string> = {};
  names.forEach((row, index) => {
    const colon = row.indexOf(':');
    explained[row.slice(0, colon)] = spell(step.args[index] ?? 0, row.slice(colon + 1));
  });
  return explained;
}

function spell(arg: Arg, kind: string): string {
  if (arg instanceof Cell) return `<${arg.name}>`;
  if (arg instanceof Address) return `&${arg.cell.name}`;
  if (arg instanceof Label) return arg.name;
  if (arg instanceof Block) return arg.text();
  if (typeof arg === 'string') return JSON.stringify(arg);
  const [type, prefixes = ''] = kind.split(' ');
  if (type === 'flags') return flagNames(prefixes, arg);
  if (type === 'enum') return enumName(prefixes, arg);
  if (type === 'octal') return `0${arg.toString(8)}`;
  if (type === 'fd' && arg === -100) return 'AT_FDCWD';
  if (arg === 0 && (type === 'string' || type === 'struct' || type === 'path')) return 'NULL';
  return String(arg);
}
