import { DelosError } from '../lib/errors.ts';
import { shown } from './shown.ts';

export type Toml = string | number | boolean | readonly Toml[] | TomlTable;
export interface TomlTable { readonly [name: string]: Toml }

interface Place { [name: string]: Toml | Place[] | Place }

/**
 * The part of TOML 1.0 that registries.conf is written in: tables, arrays of tables, dotted and quoted keys, strings of one line, whole
 * numbers, true, false, arrays over several lines, inline tables and comments. Anything else is refused.
 * @param file for messages
 * @throws DelosError io that names the line
 */
export function parseToml(text: string, file: string): TomlTable {
  return new Reader(text, file).document();
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  #at = 0;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  document(): TomlTable {
    const root = table();
    let place = root;
    for (;;) {
      this.#blank(true);
      if (this.#at >= this.#text.length) return root as TomlTable;
      if (this.#takes('[[')) {
        const keys = this.#keys();
        this.#need(']]');
        place = this.#element(root, keys);
      } else if (this.#takes('[')) {
        const keys = this.#keys();
        this.#need(']');
        place = this.#tableAt(root, keys);
      } else {
        this.#assign(place);
      }
      this.#lineEnd();
    }
  }

  #assign(place: Place): void {
    const keys = this.#keys();
    this.#need('=');
    this.#blank(false);
    const name = keys.at(-1) as string;
    const target = this.#tableAt(place, keys.slice(0, -1));
    if (Object.hasOwn(target, name)) throw this.#fault(`${shown(name)} is set twice`);
    target[name] = this.#value(0);
  }

  #tableAt(place: Place, keys: readonly string[]): Place {
    let target = place;
    for (const key of keys) {
      const found = Object.hasOwn(target, key) ? target[key] : undefined;
      const next = Array.isArray(found) ? found.at(-1) : found;
      if (next === undefined) target = target[key] = table();
      else if (typeof next === 'object') target = next as Place;
      else throw this.#fault(`${shown(key)} is no table`);
    }
    return target;
  }

  #element(root: Place, keys: readonly string[]): Place {
    const parent = this.#tableAt(root, keys.slice(0, -1));
    const name = keys.at(-1) as string;
    const list = (Object.hasOwn(parent, name) ? parent[name] : (parent[name] = [])) as Place[];
    if (!Array.isArray(list)) throw this.#fault(`${shown(name)} is no array of tables`);
    const element = table();
    list.push(element);
    return element;
  }

  #keys(): string[] {
    const keys: string[] = [];
    do {
      this.#blank(false);
      keys.push(this.#peek() === '"' || this.#peek() === "'" ? this.#string() : this.#match(/[A-Za-z0-9_-]+/y, 'a name'));
      this.#blank(false);
    } while (this.#takes('.'));
    return keys;
  }

  #value(depth: number): Toml {
    if (depth > 16) throw this.#fault('nested too deeply');
    const next = this.#peek();
    if (next === '"' || next === "'") return this.#string();
    if (this.#takes('[')) return this.#array(depth);
    if (this.#takes('{')) return this.#inline(depth);
    const word = this.#match(/true|false|[+-]?\d[\d_]*(?![\d.eE:xob-])/y, 'a string, a whole number, true, false, an array or a table');
    return word === 'true' ? true : word === 'false' ? false : Number(word.replaceAll('_', ''));
  }

  #array(depth: number): Toml[] {
    const items: Toml[] = [];
    for (;;) {
      this.#blank(true);
      if (this.#takes(']')) return items;
      items.push(this.#value(depth + 1));
      this.#blank(true);
      if (!this.#takes(',') && this.#peek() !== ']') throw this.#fault("expected ',' or ']'");
    }
  }

  #inline(depth: number): TomlTable {
    const place = table();
    this.#blank(false);
    if (this.#takes('}')) return place as TomlTable;
    do {
      const keys = this.#keys();
      this.#need('=');
      this.#blank(false);
      this.#tableAt(place, keys.slice(0, -1))[keys.at(-1) as string] = this.#value(depth + 1);
      this.#blank(false);
    } while (this.#takes(','));
    this.#need('}');
    return place as TomlTable;
  }

  #string(): string {
    if (this.#takes("'")) {
      const text = this.#match(/[^'\n]*/y, 'a string');
      this.#need("'");
      return text;
    }
    const text = this.#match(/"(?:[^"\\\p{Cc}]|\t|\\[btnfr"\\]|\\u[0-9A-Fa-f]{4})*"/uy, 'a string of one line');
    // What is left are JSON's own escapes; a tab may stand as it is.
    return JSON.parse(text.replaceAll('\t', '\\t')) as string;
  }

  #lineEnd(): void {
    this.#blank(false);
    if (this.#at < this.#text.length && this.#peek() !== '\n') throw this.#fault('expected the end of the line');
  }

  /** Passes over spaces and comments. */
  #blank(lines: boolean): void {
    const form = lines ? /(?:[ \t\r\n]|#[^\n]*)*/y : /[ \t\r]*(?:#[^\n]*)?/y;
    form.lastIndex = this.#at;
    if (form.test(this.#text)) this.#at = form.lastIndex;
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #takes(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #need(word: string): void {
    this.#blank(false);
    if (!this.#takes(word)) throw this.#fault(`expected '${word}'`);
  }

  #match(form: RegExp, what: string): string {
    form.lastIndex = this.#at;
    const text = form.exec(this.#text)?.[0];
    if (text === undefined) throw this.#fault(`expected ${what}`);
    this.#at += text.length;
    return text;
  }

  #fault(reason: string): DelosError {
    return new DelosError('io', `${this.#file}: line ${this.#text.slice(0, this.#at).split('\n').length}: ${reason}`);
  }
}

/** Without a prototype: names come from a file. */
function table(): Place {
  return Object.create(null) as Place;
}
