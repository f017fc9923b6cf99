import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from './digest.ts';
import { shown } from './shown.ts';

/** What JSON from elsewhere may hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A value of foreign JSON, and where it stands. Each reader gives a value of its kind or throws a DelosError of one line that names
 * the document and the place; `optional` readers give undefined where there is nothing or null.
 */
export class Foreign {
  readonly #value: Json | undefined;
  readonly #document: string;
  readonly #at: string;

  constructor(value: Json | undefined, document: string, at = '') {
    this.#value = value;
    this.#document = document;
    this.#at = at;
  }

  /** @param document what it is, for messages: `the manifest sha256:...` */
  static parse(bytes: Uint8Array | string, document: string): Foreign {
    try {
      const text = typeof bytes === 'string' ? bytes : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return new Foreign(JSON.parse(text) as Json, document);
    } catch {
      throw new DelosError('bad-image', `${document} is not JSON`);
    }
  }

  /** Whether it is there, and not null. */
  get present(): boolean {
    return this.#value !== undefined && this.#value !== null;
  }

  get(name: string): Foreign {
    const object = this.#object();
    return new Foreign(Object.hasOwn(object, name) ? object[name] : undefined, this.#document, `${this.#at}/${shown(name, 60)}`);
  }

  /** The members of an object; none where there is nothing. @param most more are refused */
  entries(most: number): [string, Foreign][] {
    if (!this.present) return [];
    const entries = Object.entries(this.#object());
    if (entries.length > most) throw this.wrong(`at most ${most} members`);
    return entries.map(([name, value]) => [name, new Foreign(value, this.#document, `${this.#at}/${shown(name, 60)}`)]);
  }

  /** The items of a list; none where there is nothing. @param most more are refused */
  list(most: number): Foreign[] {
    if (!this.present) return [];
    const value = this.#value;
    if (!Array.isArray(value)) throw this.wrong('a list');
    if (value.length > most) throw this.wrong(`at most ${most} items`);
    return (value as readonly Json[]).map((item, index) => new Foreign(item, this.#document, `${this.#at}/${index}`));
  }

  string(): string {
    if (typeof this.#value !== 'string') throw this.wrong('a string');
    return this.#value;
  }

  optionalString(): string | undefined {
    return this.present ? this.string() : undefined;
  }

  /** A string that can be handed to the kernel: without NUL. */
  cString(): string {
    const text = this.string();
    if (text.includes('\0')) throw this.wrong('a string without NUL');
    return text;
  }

  /** A whole number from 0 to 2^53 - 1. */
  size(): number {
    if (typeof this.#value !== 'number' || !Number.isSafeInteger(this.#value) || this.#value < 0) throw this.wrong('a size in bytes');
    return this.#value;
  }

  integer(): number {
    if (typeof this.#value !== 'number' || !Number.isSafeInteger(this.#value)) throw this.wrong('a whole number');
    return this.#value;
  }

  boolean(): boolean {
    if (typeof this.#value !== 'boolean') throw this.wrong('true or false');
    return this.#value;
  }

  digest(): Digest {
    if (!isDigest(this.#value)) throw this.wrong('a sha256 digest');
    return this.#value;
  }

  /** The error that says what was expected here. */
  wrong(expected: string): DelosError {
    return new DelosError('bad-image', `${this.#document}: ${this.#at || 'the whole'}: expected ${expected}`, { field: this.#at });
  }

  #object(): { readonly [name: string]: Json } {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.wrong('an object');
    return value as { readonly [name: string]: Json };
  }
}
