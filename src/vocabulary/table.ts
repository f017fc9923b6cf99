import { DelosError } from '../lib/errors.ts';
import { compileTemplate } from './template.ts';

/** How wide the columns of a table are: docker's tables use 10 and 3, runc's 12 and 1 to 3. */
export interface Spacing {
  /** Least width of a column, padding included. */
  readonly minWidth?: number;
  /** Spaces after the widest cell of a column. */
  readonly padding?: number;
}

/** Aligns rows of cells in columns, each line ended by a newline. The last cell of a line is not padded (Go's tabwriter). */
export function alignColumns(rows: readonly (readonly string[])[], { minWidth = 10, padding = 3 }: Spacing = {}): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? minWidth, letters(cell) + padding);
    }
  }
  const padded = (cell: string, column: number, row: readonly string[]): string =>
    column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - letters(cell));
  return rows.map((row) => `${row.map(padded).join('')}\n`).join('');
}

function letters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** One column of a listing. `field` is its name in a `--format` template, `header` its title. */
export interface Column<Row> {
  readonly field: string;
  readonly header: string;
  /** The cell's text; shortened unless `noTrunc`. */
  readonly cell: (row: Row, noTrunc: boolean) => string;
  /** Known to templates, but not in the default table. */
  readonly extra?: boolean;
}

export interface ListingOptions {
  /** `--format`: `table`, `table TEMPLATE`, `json`, or a template; absent or empty for the default table. */
  readonly format?: string | undefined;
  readonly noTrunc?: boolean;
  /** `--quiet`: only this field, a line each. */
  readonly quiet?: string | undefined;
}

/**
 * The text of a listing (`ps`, `images`), as docker prints it: a table with headers, or `--format`'s template once for each row.
 * Throws `bad-usage` for a template that does not parse or names an unknown column.
 */
export function listing<Row>(rows: readonly Row[], columns: readonly Column<Row>[], options: ListingOptions = {}): string {
  const cells = (row: Row, noTrunc = options.noTrunc === true): Record<string, string> =>
    Object.fromEntries(columns.map((column) => [column.field, column.cell(row, noTrunc)]));
  if (options.quiet !== undefined) return rows.map((row) => `${quietCell(columns, options.quiet, row, options.noTrunc === true)}\n`).join('');
  const format = unescape(options.format ?? '');
  if (format === 'json') return rows.map((row) => `${JSON.stringify(cells(row, true))}\n`).join('');
  if (format === '' || format === 'table') {
    const shown = columns.filter((column) => column.extra !== true);
    return alignColumns([shown.map((column) => column.header),
      ...rows.map((row) => shown.map((column) => column.cell(row, options.noTrunc === true)))]);
  }
  if (!format.startsWith('table ')) {
    const template = compileTemplate(format);
    return rows.map((row) => `${template(cells(row))}\n`).join('');
  }
  const template = compileTemplate(format.slice('table '.length));
  const headers = Object.fromEntries(columns.map((column) => [column.field, column.header]));
  return alignColumns([template(headers), ...rows.map((row) => template(cells(row)))].map((line) => line.split('\t')));
}

function quietCell<Row>(columns: readonly Column<Row>[], field: string | undefined, row: Row, noTrunc: boolean): string {
  const column = columns.find((candidate) => candidate.field === field);
  if (column === undefined) throw new Error(`no column ${field} to be quiet with`);
  return column.cell(row, noTrunc);
}

/** A shell hands `\t` and `\n` over as two characters. */
function unescape(format: string): string {
  return format.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
}

/** The text of `inspect`: a JSON array, or `--format`'s template once for each object. Throws `bad-usage`. */
export function inspection(objects: readonly unknown[], format?: string): string {
  if (format === undefined || format === '') return `${JSON.stringify(objects, null, 4)}\n`;
  if (format === 'json') return objects.map((object) => `${JSON.stringify(object)}\n`).join('');
  const template = compileTemplate(unescape(format));
  return objects.map((object) => `${template(object)}\n`).join('');
}

/** Cuts a text to `length` letters, the last of them an ellipsis. `length` is at least 1. */
export function truncate(text: string, length: number): string {
  if (length < 1) throw new DelosError('bad-usage', `a width of ${length} is too small`);
  const all = [...text];
  return all.length <= length ? text : `${all.slice(0, length - 1).join('')}…`;
}
