import { DelosError } from '../lib/errors.ts';

/** An operand of a template action. `fields` are looked up in the base one after the other. */
export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'path'; readonly base: Base; readonly fields: readonly string[] }
  | { readonly kind: 'function'; readonly name: string };

/** Where a path begins: `.`, `$x` (or `$`), or a parenthesised pipeline. */
type Base = { readonly kind: 'dot' } | { readonly kind: 'variable'; readonly name: string } | { readonly kind: 'group'; readonly pipeline: Pipeline };

/** `a b | c d`: each stage gets the result of the one before as its last argument. */
export interface Pipeline {
  /** `$x :=` or `$k, $v :=` (the second form in `range` only). */
  readonly declares: readonly string[];
  readonly stages: readonly (readonly Operand[])[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | { readonly kind: 'if' | 'range' | 'with'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] };

/** The nodes of a template source. Throws `bad-usage`, one line. */
export function parseTemplate(source: string): readonly Node[] {
  const parser = new TemplateParser(splitActions(source));
  const { nodes, end } = parser.block();
  if (end !== undefined) throw malformed(`unexpected {{${end}}}`);
  return nodes;
}

export function malformed(reason: string): DelosError {
  return new DelosError('bad-usage', `invalid template: ${reason}`);
}

type Piece = { readonly text: string } | { readonly action: string };

/** Cuts a source at its `{{ }}`; `{{-` and `-}}` trim the text beside them, comments vanish. */
function splitActions(source: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    if (trimNext) text = text.trimStart();
    const trimsBefore = open >= 0 && /^\{\{-\s/.test(source.slice(open, open + 4));
    if (trimsBefore) text = text.trimEnd();
    if (text !== '') pieces.push({ text });
    if (open < 0) return pieces;
    const close = actionEnd(source, open + 2);
    let action = source.slice(open + (trimsBefore ? 3 : 2), close);
    trimNext = /\s-$/.test(action);
    if (trimNext) action = action.slice(0, -1);
    action = action.trim();
    if (!(action.startsWith('/*') && action.endsWith('*/'))) pieces.push({ action });
    at = close + 2;
  }
}

/** The index of the `}}` that ends an action, quoted strings skipped. */
function actionEnd(source: string, start: number): number {
  const part = /"(?:[^"\\]|\\.)*"|`[^`]*`|\}\}|[^]/y;
  part.lastIndex = start;
  for (let match = part.exec(source); match !== null; match = part.exec(source)) {
    if (match[0] === '}}') return match.index;
  }
  throw malformed('unclosed action');
}

type Token =
  | { readonly kind: 'field' | 'variable' | 'word' | 'sign'; readonly text: string; readonly glued: boolean }
  | { readonly kind: 'literal'; readonly value: string | number; readonly text: string; readonly glued: boolean };

const tokenPattern = /(?<space>\s+)|(?<string>"(?:[^"\\]|\\.)*"|`[^`]*`)|(?<number>-?\d+(?:\.\d+)?)|\.(?<field>[\p{L}_][\p{L}\p{N}_]*)|(?<variable>\$[\p{L}\p{N}_]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<sign>:=|[.|(),])/uy;

function tokenize(action: string): Token[] {
  const tokens: Token[] = [];
  let glued = false;
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < action.length) {
    const at = tokenPattern.lastIndex;
    const groups = tokenPattern.exec(action)?.groups;
    if (groups === undefined) throw malformed(`unexpected ${JSON.stringify(action[at])} in {{${action}}}`);
    if (groups['space'] === undefined) tokens.push(token(groups, glued));
    glued = groups['space'] === undefined;
  }
  return tokens;
}

/** `glued` says that no space is before the token: `.A.B` is one path, `.A .B` two. */
function token(groups: Record<string, string | undefined>, glued: boolean): Token {
  const { string, number, field, variable, word, sign = '' } = groups;
  if (string !== undefined) return { kind: 'literal', value: unquote(string), text: string, glued };
  if (number !== undefined) return { kind: 'literal', value: Number(number), text: number, glued };
  if (field !== undefined) return { kind: 'field', text: field, glued };
  if (variable !== undefined) return { kind: 'variable', text: variable, glued };
  if (word !== undefined) return { kind: 'word', text: word, glued };
  return { kind: 'sign', text: sign, glued };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', "'": "'" };

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  if (text.startsWith('`')) return inner;
  return inner.replace(/\\(.)/gs, (whole, letter: string) => {
    const meant = escapes[letter];
    if (meant === undefined) throw malformed(`unknown escape ${whole} in ${text}`);
    return meant;
  });
}

const MAX_DEPTH = 100;

class TemplateParser {
  readonly #pieces: readonly Piece[];
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Nodes up to the `end` or `else ...` that closes the block; `end` is that action, or undefined at the end of the source. */
  block(): { nodes: Node[]; end: string | undefined } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) return { nodes, end: undefined };
      if ('text' in piece) {
        nodes.push({ kind: 'text', text: piece.text });
        continue;
      }
      const keyword = /^[a-z]+\b/.exec(piece.action)?.[0];
      if (keyword === 'end' || keyword === 'else') return { nodes, end: piece.action };
      if (keyword === 'if' || keyword === 'range' || keyword === 'with') nodes.push(this.#control(keyword, piece.action.slice(keyword.length)));
      else nodes.push({ kind: 'print', pipeline: new ActionParser(piece.action).whole() });
    }
  }

  #control(kind: 'if' | 'range' | 'with', condition: string): Node {
    if (++this.#depth > MAX_DEPTH) throw malformed(`more than ${MAX_DEPTH} blocks inside each other`);
    const pipeline = new ActionParser(condition).whole();
    const { nodes: body, end } = this.block();
    const otherwise = this.#otherwise(kind, end);
    this.#depth--;
    return { kind, pipeline, body, otherwise };
  }

  /** What follows a block's body: nothing at `end`, the else branch otherwise (`else if` is a nested node that shares the `end`). */
  #otherwise(kind: string, end: string | undefined): readonly Node[] {
    if (end === 'end') return [];
    if (end === undefined) throw malformed(`{{${kind}}} without {{end}}`);
    const chained = /^else\s+(if|with)\b/.exec(end);
    if (chained !== null) return [this.#control(chained[1] === 'if' ? 'if' : 'with', end.slice(chained[0].length))];
    if (end !== 'else') throw malformed(`unexpected {{${end}}}`);
    const rest = this.block();
    if (rest.end !== 'end') throw malformed(`{{else}} without {{end}}`);
    return rest.nodes;
  }
}

class ActionParser {
  readonly #source: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  whole(): Pipeline {
    const pipeline = this.#pipeline();
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return pipeline;
  }

  #unexpected(): DelosError {
    const found = this.#tokens[this.#at];
    return malformed(found === undefined ? `something is missing in {{${this.#source}}}` : `unexpected ${found.text} in {{${this.#source}}}`);
  }

  #sign(text: string): boolean {
    const next = this.#tokens[this.#at];
    if (next?.kind !== 'sign' || next.text !== text) return false;
    this.#at++;
    return true;
  }

  #pipeline(): Pipeline {
    const declares = this.#declarations();
    const stages: Operand[][] = [];
    do {
      const stage: Operand[] = [];
      for (let operand = this.#operand(); operand !== undefined; operand = this.#operand()) stage.push(operand);
      if (stage.length === 0) throw this.#unexpected();
      stages.push(stage);
    } while (this.#sign('|'));
    return { declares, stages };
  }

  #declarations(): string[] {
    const start = this.#at;
    const names: string[] = [];
    do {
      const next = this.#tokens[this.#at];
      if (next?.kind !== 'variable') break;
      names.push(next.text);
      this.#at++;
    } while (names.length < 2 && this.#sign(','));
    if (names.length > 0 && this.#sign(':=')) return names;
    this.#at = start;
    return [];
  }

  #operand(): Operand | undefined {
    const next = this.#tokens[this.#at];
    if (next === undefined) return undefined;
    if (next.kind === 'literal') return this.#take({ kind: 'literal', value: next.value });
    if (next.kind === 'word') return this.#take(constantOrFunction(next.text));
    if (next.kind === 'field') return { kind: 'path', base: { kind: 'dot' }, fields: this.#fields(true) };
    if (next.kind === 'variable') {
      this.#at++;
      return { kind: 'path', base: { kind: 'variable', name: next.text }, fields: this.#fields(false) };
    }
    if (this.#sign('.')) return { kind: 'path', base: { kind: 'dot' }, fields: [] };
    if (!this.#sign('(')) return undefined;
    const pipeline = this.#pipeline();
    if (!this.#sign(')')) throw this.#unexpected();
    return { kind: 'path', base: { kind: 'group', pipeline }, fields: this.#fields(false) };
  }

  #take(operand: Operand): Operand {
    this.#at++;
    return operand;
  }

  /** The `.A.B` at this place. The first may follow a space only where a path begins with it. */
  #fields(begins: boolean): string[] {
    const fields: string[] = [];
    for (;;) {
      const next = this.#tokens[this.#at];
      if (next?.kind !== 'field' || !(next.glued || (begins && fields.length === 0))) return fields;
      fields.push(next.text);
      this.#at++;
    }
  }
}

function constantOrFunction(text: string): Operand {
  if (text === 'true' || text === 'false') return { kind: 'literal', value: text === 'true' };
  return text === 'nil' ? { kind: 'literal', value: null } : { kind: 'function', name: text };
}
