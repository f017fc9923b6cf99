import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageDetails } from '../../images/catalogue.ts';
import { parseReference } from '../../registry/reference.ts';
import { hasLabel, referenceFilter } from './image-filters.ts';
import { imageRows, repositoryText, tagText, type ImageRow } from './image-rows.ts';
import { pruneFilter } from './prune-filter.ts';

const hex = 'ab'.repeat(32);

function image(tags: readonly string[], digests: readonly string[] = []): ImageDetails {
  const record = { id: `sha256:${hex}`, manifest: `sha256:${hex}`, tags, digests, added: '' } as const;
  return { record, size: 0, containers: [] } as unknown as ImageDetails;
}

test('lines of images: one for each name, and with digests one for each digest of a name', () => {
  const named = image(['docker.io/library/a:1', 'example.org/b/c:2'], [`docker.io/library/a@sha256:${hex}`]);
  const made = [named, image([]), image([], [`docker.io/team/d@sha256:${hex}`])];
  const line = (row: ImageRow): string => `${repositoryText(row)} ${tagText(row)}${row.name?.digest === undefined ? '' : ' digest'}`;
  const lines = (withDigests: boolean): string[] => imageRows(made, withDigests).map(line);
  assert.deepEqual(lines(false), ['a 1', 'example.org/b/c 2', '<none> <none>', 'team/d <none> digest']);
  assert.deepEqual(lines(true), ['a 1 digest', 'example.org/b/c 2', '<none> <none>', 'team/d <none> digest']);
});

test('patterns of names', () => {
  const matches = (pattern: string, name: string): boolean => referenceFilter(pattern)({ image: image([]), name: parseReference(name) });
  for (const [pattern, name] of [
    ['alpine', 'alpine:3'], ['alpine:*', 'alpine:3'], ['al*', 'alpine'], ['docker.io/library/alpine', 'alpine'], ['*/b', 'a/b'], ['a/?', 'a/b:1'],
    ['a[0-9]', 'a7'], ['a.b', 'a.b'], ['h.example:5000/x:1', 'h.example:5000/x:1'],
  ] as const) assert.ok(matches(pattern, name), `${pattern} ${name}`);
  for (const [pattern, name] of [['alp', 'alpine'], ['*', 'a/b'], ['alpine:4', 'alpine:3'], ['a.b', 'aab'], ['a[^0-9]', 'a7']] as const) {
    assert.ok(!matches(pattern, name), `${pattern} ${name}`);
  }
  assert.equal(referenceFilter('*')({ image: image([]) }), false);
  for (const pattern of ['[', 'a[', '[z-a]']) assert.throws(() => referenceFilter(pattern), { code: 'bad-usage' }, pattern);
});

test('labels and ages', () => {
  assert.deepEqual(['a', 'a=1', 'a=2', 'b', 'a=', 'constructor'].map((wanted) => hasLabel({ a: '1' }, wanted)), [true, true, false, false, false, false]);
  const old = { created: '2001-01-01T00:00:00Z', labels: { a: '1' } };
  const accepts = (...texts: string[]): boolean => pruneFilter(texts)(old);
  const tried = [[], ['until=24h'], ['until=2000-01-01'], ['label=a'], ['label!=a'], ['label=a', 'until=1']].map((texts) => accepts(...texts));
  assert.deepEqual(tried, [true, true, false, true, false, false]);
  assert.equal(pruneFilter(['until=24h'])({ created: undefined, labels: {} }), false);
  for (const text of ['until', 'until=', 'x=1', 'until=never']) assert.throws(() => pruneFilter([text]), { code: 'bad-usage' }, text);
});
