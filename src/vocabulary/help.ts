import type { Command, Flag, Program } from './flags.ts';
import { versionFlag } from './flags.ts';

const typeNames: Readonly<Record<Flag['type'], string>> = {
  bool: '', string: 'string', list: 'list', int: 'int', size: 'bytes', duration: 'duration', cpus: 'decimal',
};

/** The help of one command in docker's layout: usage, summary, aliases, options, examples. `columns` is the terminal's width. */
export function commandHelp(program: Program, command: Command, columns = 80): string {
  const sections = [`Usage:  ${program.name} ${command.usage}`, command.summary];
  if (command.aliases !== undefined && command.aliases.length > 0) {
    const names = [command.name, ...command.aliases].map((name) => `${program.name} ${name}`);
    sections.push(`Aliases:\n  ${names.join(', ')}`);
  }
  const options = flagLines(command.flags, columns);
  if (options !== '') sections.push(`Options:\n${options}`);
  if (command.examples !== undefined) sections.push(`Examples:\n${command.examples.map((line) => `  ${line}`).join('\n')}`);
  return `${sections.join('\n\n')}\n`;
}

/** The help of the program, or of one group of its commands (the first word of their names). */
export function programHelp(program: Program, group?: string, columns = 80): string {
  const prefix = group === undefined ? '' : `${group} `;
  const subject = group === undefined ? program.name : `${program.name} ${group}`;
  const sections = group === undefined
    ? [`Usage:  ${subject} [OPTIONS] COMMAND`, program.summary]
    : [`Usage:  ${subject} COMMAND`];
  sections.push(`Commands:\n${commandLines(program.commands, prefix, columns)}`);
  if (group === undefined) sections.push(`Global Options:\n${flagLines([...program.globals, versionFlag], columns)}`);
  sections.push(`Run '${subject} COMMAND --help' for more information on a command.`);
  return `${sections.join('\n\n')}\n`;
}

/** One line for each command; of the groups only their members' names, unless it is the group that is asked about. */
function commandLines(commands: readonly Command[], prefix: string, columns: number): string {
  const rows: [string, string][] = [];
  for (const command of commands) {
    if (command.hidden === true) continue;
    const name = [command.name, ...(command.aliases ?? [])].find((candidate) => candidate.startsWith(prefix));
    if (name !== undefined && (prefix !== '' || name === command.name)) rows.push([name.slice(prefix.length), command.summary]);
  }
  return describe(rows.map(([name, summary]) => [`  ${name}`, summary]), columns);
}

function flagLines(flags: readonly Flag[], columns: number): string {
  const shown = flags.filter((flag) => flag.hidden !== true).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return describe(shown.map((flag) => [flagHead(flag), flag.help + shownDefault(flag)]), columns);
}

function flagHead(flag: Flag): string {
  const letter = flag.short === undefined ? '    ' : `-${flag.short}, `;
  const value = flag.value ?? typeNames[flag.type];
  const shown = value === '' ? '' : flag.bare === undefined ? ` ${value}` : `[=${value}]`;
  return `  ${letter}--${flag.name}${shown}`;
}

function shownDefault(flag: Flag): string {
  if (flag.default === undefined || flag.default === false || flag.default === '') return '';
  return typeof flag.default === 'string' ? ` (default "${flag.default}")` : ` (default ${flag.default})`;
}

/** Two columns: heads, and texts wrapped at the terminal's edge under each other. */
function describe(rows: readonly (readonly [head: string, text: string])[], columns: number): string {
  const indent = Math.max(0, ...rows.map(([head]) => head.length)) + 3;
  const newLine = `\n${' '.repeat(indent)}`;
  return rows.map(([head, text]) => head.padEnd(indent) + wrap(text, columns - indent).join(newLine)).join('\n');
}

/** Breaks at spaces into lines of at most `width`, but of at least 24, so that a narrow terminal stays readable. */
function wrap(text: string, width: number): string[] {
  const limit = Math.max(width, 24);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > limit) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
