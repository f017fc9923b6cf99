import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';

/** The value of a variable; undefined when it is not set. */
export type Variables = (name: string) => string | undefined;

/**
 * A word with its quotes and escapes taken away and its variables replaced: `$NAME`, `${NAME}`, `${NAME:-else}`, `${NAME:+instead}`,
 * `${NAME:?complaint}`, and these without the colon, for which an empty value is a value. Nothing is replaced in single quotes.
 * @throws DelosError bad-usage for what is not closed, is no variable or complains
 */
export function expandWord(text: string, variables: Variables, escape: string): string {
  return new Expansion(text, variables, escape, false).all().join('');
}

/** The same, and what blanks separate then becomes words: those of the values, too. */
export function expandWords(text: string, variables: Variables, escape: string): string[] {
  return new Expansion(text, variables, escape, true).all();
}

/** A document's variables, in which quotes mean nothing. */
export function expandDocument(text: string, variables: Variables, escape: string): string {
  return new Expansion(text, variables, escape, false).document();
}

const nameForm = /[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]/y;

class Expansion {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #escape: string;
  readonly #splits: boolean;
  readonly #words: string[] = [];
  #word: string | undefined;
  #at = 0;

  constructor(text: string, variables: Variables, escape: string, splits: boolean) {
    this.#text = text;
    this.#variables = variables;
    this.#escape = escape;
    this.#splits = splits;
  }

  all(): string[] {
    while (this.#at < this.#text.length) this.#part();
    this.#end();
    return this.#words;
  }

  document(): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] as string;
      const escaped = this.#text[this.#at + 1];
      if (character === this.#escape && (escaped === '$' || escaped === this.#escape)) {
        result += escaped;
        this.#at += 2;
      } else result += character === '$' ? this.#variable() : this.#take();
    }
    return result;
  }

  #part(): void {
    const character = this.#text[this.#at] as string;
    if (character === "'") return this.#add(this.#single());
    if (character === '"') return this.#add(this.#double());
    if (character === '$') return this.#addSplit(this.#variable());
    if (character === this.#escape) return this.#add(this.#escaped());
    this.#at++;
    return this.#addSplit(character);
  }

  #take(): string {
    return this.#text[this.#at++] ?? '';
  }

  #add(text: string): void {
    this.#word = (this.#word ?? '') + text;
  }

  #addSplit(text: string): void {
    if (!this.#splits) return this.#add(text);
    for (const [index, piece] of text.split(/\s+/).entries()) {
      if (index > 0) this.#end();
      if (piece !== '') this.#add(piece);
    }
    return undefined;
  }

  #end(): void {
    if (this.#word !== undefined) this.#words.push(this.#word);
    this.#word = undefined;
  }

  #escaped(): string {
    this.#at++;
    // At the very end it stands for itself.
    return this.#at < this.#text.length ? this.#take() : this.#escape;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw unclosed(this.#text, "'");
    const inner = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inner;
  }

  #double(): string {
    let inner = '';
    this.#at++;
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] as string;
      if (character === '"') {
        this.#at++;
        return inner;
      }
      if (character === '$') inner += this.#variable();
      else if (character === this.#escape) inner += this.#escapedInQuotes();
      else inner += this.#take();
    }
    throw unclosed(this.#text, '"');
  }

  /** Before anything but a quote, a dollar or itself, an escape in quotes is a character like others. */
  #escapedInQuotes(): string {
    this.#at++;
    const next = this.#take();
    return ['"', '$', this.#escape].includes(next) ? next : this.#escape + next;
  }

  #variable(): string {
    this.#at++;
    if (this.#text[this.#at] === '{') return this.#braced();
    const name = this.#name();
    return name === '' ? '$' : this.#variables(name) ?? '';
  }

  #name(): string {
    nameForm.lastIndex = this.#at;
    const [name = ''] = nameForm.exec(this.#text) ?? [];
    this.#at += name.length;
    return name;
  }

  #braced(): string {
    const start = this.#at - 1;
    this.#at++;
    const name = this.#name();
    if (name === '') throw new DelosError('bad-usage', `'${shown(this.#text.slice(start))}': expected the name of a variable behind \${`);
    const [operator = ''] = /^:?[-+?]/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += operator.length;
    const end = this.#closing();
    const rest = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    if (operator === '' && rest !== '') throw new DelosError('bad-usage', `'${shown(this.#text.slice(start, end + 1))}': expected one of :- :+ :? - + ? behind the name`);
    return this.#modified(name, operator, rest);
  }

  #modified(name: string, operator: string, rest: string): string {
    const value = this.#variables(name);
    const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    const word = (): string => expandWord(rest, this.#variables, this.#escape);
    if (operator.endsWith('-')) return isSet ? value as string : word();
    if (operator.endsWith('+')) return isSet ? word() : '';
    if (operator.endsWith('?') && !isSet) throw new DelosError('bad-usage', `${name}: ${shown(word()) || 'is not set'}`);
    return value ?? '';
  }

  /** The brace that closes the one before, past those of variables in between. */
  #closing(): number {
    let depth = 1;
    for (let at = this.#at; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === this.#escape) at++;
      else if (character === '{' && this.#text[at - 1] === '$') depth++;
      else if (character === '}' && --depth === 0) return at;
    }
    throw unclosed(this.#text, '${');
  }
}

function unclosed(text: string, what: string): DelosError {
  return new DelosError('bad-usage', `'${shown(text)}': ${what} is not closed`);
}
