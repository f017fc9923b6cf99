import { failed, isTrue, printed, templateFunctions } from './template-functions.ts';
import type { Node, Operand, Pipeline } from './template-syntax.ts';
import { malformed, parseTemplate } from './template-syntax.ts';

/** The variables in sight, innermost last; `$` is the whole data. */
type Scope = { readonly name: string; value: unknown }[];

/**
 * Compiles the part of Go's template language that `--format` is used with: fields, variables, pipelines, `if`, `range`, `with`,
 * and the functions of template-functions.ts. The result gives the text for one object. Both throw `bad-usage` with one line:
 * here for the syntax and unknown functions, there for a field the object has not.
 */
export function compileTemplate(source: string): (data: unknown) => string {
  const nodes = parseTemplate(source);
  checkFunctions(nodes);
  return (data) => execute(nodes, data, [{ name: '$', value: data }]);
}

/** An unknown function is an error even where the data never leads to it. */
function checkFunctions(nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.kind === 'text') continue;
    checkPipeline(node.pipeline);
    if (node.kind !== 'print') {
      checkFunctions(node.body);
      checkFunctions(node.otherwise);
    }
  }
}

function checkPipeline(pipeline: Pipeline): void {
  for (const operand of pipeline.stages.flat()) {
    if (operand.kind === 'function' && !Object.hasOwn(templateFunctions, operand.name)) throw malformed(`function "${operand.name}" not defined`);
    if (operand.kind === 'path' && operand.base.kind === 'group') checkPipeline(operand.base.pipeline);
  }
}

function execute(nodes: readonly Node[], dot: unknown, scope: Scope): string {
  let text = '';
  for (const node of nodes) text += executeNode(node, dot, scope);
  return text;
}

function executeNode(node: Node, dot: unknown, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  const inner: Scope = node.kind === 'print' ? scope : [...scope];
  const value = evaluate(node.pipeline, dot, inner);
  if (node.kind === 'print') return node.pipeline.declares.length > 0 ? '' : printed(value);
  if (!isTrue(value)) return execute(node.otherwise, dot, inner);
  if (node.kind === 'range') return executeRange(node.body, node.pipeline.declares, value, inner);
  return execute(node.body, node.kind === 'with' ? value : dot, inner);
}

/** `range` over a list, the values of an object in the order of its keys, or the numbers below n. */
function executeRange(body: readonly Node[], declares: readonly string[], value: unknown, scope: Scope): string {
  let text = '';
  for (const [key, element] of elements(value)) {
    const inner = [...scope];
    const [first, second] = declares;
    if (second !== undefined) inner.push({ name: first ?? '', value: key }, { name: second, value: element });
    else if (first !== undefined) inner.push({ name: first, value: element });
    text += execute(body, element, inner);
  }
  return text;
}

function elements(value: unknown): Iterable<[unknown, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (typeof value === 'object' && value !== null) return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  throw failed(`range over ${printed(value)}, which has no elements`);
}

function evaluate(pipeline: Pipeline, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  for (const [position, stage] of pipeline.stages.entries()) value = evaluateStage(stage, position === 0 ? [] : [value], dot, scope);
  const [only, ...others] = pipeline.declares;
  if (only !== undefined && others.length === 0) scope.push({ name: only, value });
  return value;
}

function evaluateStage(stage: readonly Operand[], piped: readonly unknown[], dot: unknown, scope: Scope): unknown {
  const [head, ...rest] = stage;
  if (head?.kind === 'function') {
    const call = templateFunctions[head.name];
    return call?.(...rest.map((operand) => operandValue(operand, dot, scope)), ...piped);
  }
  if (head === undefined || rest.length > 0 || piped.length > 0) throw failed('only a function can be given arguments');
  return operandValue(head, dot, scope);
}

function operandValue(operand: Operand, dot: unknown, scope: Scope): unknown {
  if (operand.kind === 'literal') return operand.value;
  if (operand.kind === 'function') return templateFunctions[operand.name]?.();
  let value = baseValue(operand.base, dot, scope);
  for (const field of operand.fields) value = fieldOf(value, field);
  return value;
}

function baseValue(base: Extract<Operand, { kind: 'path' }>['base'], dot: unknown, scope: Scope): unknown {
  if (base.kind === 'dot') return dot;
  if (base.kind === 'group') return evaluate(base.pipeline, dot, scope);
  const variable = scope.findLast((candidate) => candidate.name === base.name);
  if (variable === undefined) throw failed(`undefined variable ${base.name}`);
  return variable.value;
}

function fieldOf(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw failed(`.${field} of ${printed(value)}, which has no fields`);
  if (Object.hasOwn(value, field)) return (value as Record<string, unknown>)[field];
  const known = Object.keys(value);
  throw failed(`there is no field .${field}${known.length > 0 && known.length <= 20 ? `; there are ${known.join(', ')}` : ''}`);
}
