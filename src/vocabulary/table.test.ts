import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from './table.ts';
import { alignColumns, inspection, listing, truncate } from './table.ts';

interface Row { id: string; image: string; size: string }
const columns: Column<Row>[] = [
  { field: 'ID', header: 'CONTAINER ID', cell: ({ id }, noTrunc) => (noTrunc ? id : id.slice(0, 4)) },
  { field: 'Image', header: 'IMAGE', cell: ({ image }) => image },
  { field: 'Size', header: 'SIZE', cell: ({ size }) => size, extra: true },
];
const rows: Row[] = [{ id: 'abcdef', image: 'a-long-image-name', size: '1kB' }, { id: '123456', image: 'b', size: '2kB' }];

test('columns are three spaces apart and at least ten wide; the last is not padded', () => {
  assert.equal(alignColumns([['A', 'B', 'C'], ['1', 'long-long-long', '3']]), 'A         B                C\n1         long-long-long   3\n');
  assert.equal(alignColumns([['é€', 'x']], { minWidth: 4, padding: 1 }), 'é€  x\n');
  assert.equal(alignColumns([]), '');
});

test('listings', () => {
  assert.equal(listing(rows, columns), 'CONTAINER ID   IMAGE\nabcd           a-long-image-name\n1234           b\n');
  assert.equal(listing(rows, columns, { noTrunc: true, quiet: 'ID' }), 'abcdef\n123456\n');
  assert.equal(listing(rows, columns, { format: '{{.ID}}: {{.Size}}\\t{{upper .Image}}' }), 'abcd: 1kB\tA-LONG-IMAGE-NAME\n1234: 2kB\tB\n');
  assert.equal(listing(rows, columns, { format: 'table {{.Image}}\\t{{.Size}}' }), 'IMAGE               SIZE\na-long-image-name   1kB\nb                   2kB\n');
  assert.equal(listing(rows.slice(1), columns, { format: 'json' }), '{"ID":"123456","Image":"b","Size":"2kB"}\n');
  assert.equal(listing([], columns), 'CONTAINER ID   IMAGE\n');
  assert.throws(() => listing(rows, columns, { format: '{{.Nope}}' }), { code: 'bad-usage', message: 'template: there is no field .Nope; there are ID, Image, Size' });
});

test('inspection', () => {
  assert.equal(inspection([{ a: 1 }]), '[\n    {\n        "a": 1\n    }\n]\n');
  assert.equal(inspection([{ a: 1 }, { a: 2 }], '{{.a}}'), '1\n2\n');
  assert.equal(inspection([{ a: 1 }], 'json'), '{"a":1}\n');
});

test('truncate counts letters', () => {
  assert.equal(truncate('sleep infinity', 6), 'sleep…');
  assert.equal(truncate('äöü', 3), 'äöü');
});
