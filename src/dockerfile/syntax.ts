import { jsonWords } from '../images/dockerfile-words.ts';
import { shown } from '../registry/shown.ts';
import { nearest } from '../vocabulary/nearest.ts';
import { badDockerfile, type Place } from './failure.ts';
import { rawWords } from './words.ts';

/** A document within an instruction: `<<EOF` and what stands up to the line `EOF`. */
export interface Heredoc {
  readonly name: string;
  /** The word that announced it: `<<-"EOF"`. */
  readonly word: string;
  /** Its lines, each with its end. */
  readonly content: string;
  /** Its name was not quoted: variables in it are replaced. */
  readonly expand: boolean;
}

/** `--name=value` or `--name` in front of an instruction's arguments. */
export interface InstructionFlag {
  readonly name: string;
  readonly value?: string;
}

export interface Instruction extends Place {
  /** In upper case. */
  readonly name: string;
  readonly flags: readonly InstructionFlag[];
  /** The arguments: one line, continued lines put together. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  /** The character that takes the meaning from the next one. */
  readonly escape: string;
}

/** Every instruction there is. */
export const instructionNames = [
  'ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER',
  'VOLUME', 'WORKDIR',
] as const;

/** An instruction as it was written, on one line. */
export function summaryOf({ name, flags, text }: Pick<Instruction, 'name' | 'flags' | 'text'>): string {
  const words = flags.map((flag) => `--${flag.name}${flag.value === undefined ? '' : `=${flag.value}`}`);
  return [name, ...words, text].join(' ');
}

const withFlags: readonly string[] = ['ADD', 'COPY', 'FROM', 'RUN'];
const withHeredocs: readonly string[] = ['ADD', 'COPY', 'RUN'];

/**
 * Reads a Dockerfile into its instructions. What they mean is not looked at.
 * @param file its name, for messages
 * @throws DelosError bad-dockerfile with the place
 */
export function parseDockerfile(source: string, file: string): Instruction[] {
  const lines = source.replace(/^\uFEFF/, '').split(/\r?\n/);
  const broken = lines.findIndex((line) => line.includes('\0'));
  if (broken >= 0) throw badDockerfile({ file, line: broken + 1 }, 'a NUL: this is no text');
  const { escape, next } = readDirectives(lines, file);
  const reader = new Reader(lines, next, file, escape);
  const instructions: Instruction[] = [];
  for (let found = reader.instruction(); found !== undefined; found = reader.instruction()) instructions.push(found);
  return instructions;
}

/** Directives stand above all else: `# escape=` and a backtick, `# syntax=...`, `# check=...`. Only the first of these means something here. */
function readDirectives(lines: readonly string[], file: string): { escape: string; next: number } {
  const seen = new Set<string>();
  let escape = '\\';
  let next = 0;
  for (; next < lines.length; next++) {
    const [, name = '', value = ''] = /^#\s*([A-Za-z]+)\s*=\s*(.+?)\s*$/.exec(lines[next] as string) ?? [];
    const directive = name.toLowerCase();
    if (!['escape', 'syntax', 'check'].includes(directive)) break;
    const place = { file, line: next + 1 };
    if (seen.has(directive)) throw badDockerfile(place, `the directive ${directive} is there twice`);
    seen.add(directive);
    if (directive !== 'escape') continue;
    if (value !== '\\' && value !== '`') throw badDockerfile(place, `escape=${shown(value)}: expected a backslash or a backtick`);
    escape = value;
  }
  return { escape, next };
}

const isComment = (line: string): boolean => /^\s*#/.test(line);
const isBlank = (line: string): boolean => line.trim() === '';

class Reader {
  readonly #lines: readonly string[];
  readonly #file: string;
  readonly #escape: string;
  /** An escape at the end of the line, and not one that was escaped itself. */
  readonly #continued: RegExp;
  #next: number;

  constructor(lines: readonly string[], next: number, file: string, escape: string) {
    this.#lines = lines;
    this.#next = next;
    this.#file = file;
    this.#escape = escape;
    const character = escape === '\\' ? '\\\\' : escape;
    this.#continued = new RegExp(`(?<!${character})${character}[ \\t]*$`);
  }

  instruction(): Instruction | undefined {
    while (this.#next < this.#lines.length && (isBlank(this.#line()) || isComment(this.#line()))) this.#next++;
    if (this.#next >= this.#lines.length) return undefined;
    const place: Place = { file: this.#file, line: this.#next + 1 };
    const [, word = '', rest = ''] = /^\s*(\S+)\s*([^]*)$/.exec(this.#logicalLine()) ?? [];
    const name = word.toUpperCase();
    checkName(place, word, name);
    const { flags, text } = withFlags.includes(name) ? splitFlags(rest.trim()) : { flags: [], text: rest.trim() };
    if (text === '') throw badDockerfile(place, `${name}: expected arguments`);
    return { ...place, name, flags, text, heredocs: withHeredocs.includes(name) ? this.#heredocs(place, text) : [], escape: this.#escape };
  }

  #line(): string {
    return this.#lines[this.#next] ?? '';
  }

  /** A line with those that continue it; comments and blank lines in between do not count. */
  #logicalLine(): string {
    let text = '';
    for (let first = true; this.#next < this.#lines.length; first = false) {
      const line = this.#line();
      this.#next++;
      if (!first && (isComment(line) || isBlank(line))) continue;
      if (!this.#continued.test(line)) return text + line;
      text += line.replace(this.#continued, '');
    }
    return text;
  }

  #heredocs(place: Place, text: string): Heredoc[] {
    if (jsonWords(text) !== undefined) return [];
    return rawWords(text, this.#escape).flatMap((word) => {
      const [, stripped, single, double, plain] = /^\d*<<(-?)(?:'([^'<]+)'|"([^"<]+)"|([^\s'"<>|&;()]+))/.exec(word) ?? [];
      const name = single ?? double ?? plain;
      if (name === undefined) return [];
      return [{ name, word, content: this.#document(place, name, stripped === '-'), expand: plain !== undefined }];
    });
  }

  #document(place: Place, name: string, isStripped: boolean): string {
    let content = '';
    while (this.#next < this.#lines.length) {
      const line = isStripped ? this.#line().replace(/^\t+/, '') : this.#line();
      this.#next++;
      if (line === name) return content;
      content += `${line}\n`;
    }
    throw badDockerfile(place, `the document <<${shown(name)} has no end: expected a line ${shown(name)}`);
  }
}

function checkName(place: Place, word: string, name: string): void {
  if ((instructionNames as readonly string[]).includes(name)) return;
  const meant = nearest(name, instructionNames);
  throw badDockerfile(place, `unknown instruction ${shown(word, 40)}${meant === undefined ? '' : `: did you mean ${meant}?`}`);
}

function splitFlags(text: string): { flags: InstructionFlag[]; text: string } {
  const flags: InstructionFlag[] = [];
  const form = /^--([a-z][a-z-]*)(?:=((?:"[^"]*"|'[^']*'|[^\s"'])*))?(?:\s+|$)/;
  let rest = text;
  for (let match = form.exec(rest); match !== null; match = form.exec(rest)) {
    const [whole, name = '', value] = match;
    flags.push({ name, ...(value !== undefined && { value: value.replace(/^(["'])(.*)\1$/, '$2') }) });
    rest = rest.slice(whole.length);
  }
  return { flags, text: rest };
}
