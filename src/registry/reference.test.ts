import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DelosError } from '../lib/errors.ts';
import { familiarReference, formatReference, parseReference } from './reference.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;

test('docker\'s defaults and its way to tell a registry from a repository', () => {
  const whole: Record<string, string> = {
    alpine: 'docker.io/library/alpine:latest',
    'alpine:3.20': 'docker.io/library/alpine:3.20',
    'user/app': 'docker.io/user/app:latest',
    'docker.io/alpine': 'docker.io/library/alpine:latest',
    'index.docker.io/library/alpine': 'docker.io/library/alpine:latest',
    'localhost/a': 'localhost/a:latest',
    'localhost:5000/a': 'localhost:5000/a:latest',
    'Host/a': 'Host/a:latest',
    'a.b/c/d__e/f---g:T_1.x-y': 'a.b/c/d__e/f---g:T_1.x-y',
    '[::1]:5000/x': '[::1]:5000/x:latest',
    'localhost:5000': 'docker.io/library/localhost:5000',
    [`alpine@${digest}`]: `docker.io/library/alpine@${digest}`,
    [`r.example:1/a:t@${digest}`]: `r.example:1/a:t@${digest}`,
  };
  for (const [text, wanted] of Object.entries(whole)) assert.equal(formatReference(parseReference(text)), wanted, text);
});

test('what docker refuses is refused, in one line', () => {
  const refused = [
    '', '/', ':', '@', 'a/', '/a', 'Alpine', 'docker.io/A', 'localhost/A', 'a:', 'a:-x', `a:${'x'.repeat(129)}`, 'a b', 'a\nb', 'a..b', 'a___b', '-a', 'a-',
    'a@sha256:00', `a@${digest.toUpperCase()}`, `a@md5:${'0'.repeat(32)}`, 'https://a.b/c', '0'.repeat(64), `a.b/${'x'.repeat(256)}`, 'a.b:70000/c', '../a',
    'a/../b',
    'a.b//c', '[::1/a', 'é', 'a.b/c@', `a@${digest}@${digest}`,
  ];
  for (const text of refused) {
    assert.throws(() => parseReference(text), (error) => error instanceof DelosError && error.code === 'bad-reference' && !error.message.includes('\n'), text);
  }
});

test('the short form people know', () => {
  assert.equal(familiarReference(parseReference('alpine')), 'alpine:latest');
  assert.equal(familiarReference(parseReference('docker.io/a/b:c')), 'a/b:c');
  assert.equal(familiarReference(parseReference('quay.io/a/b:c')), 'quay.io/a/b:c');
  assert.equal(familiarReference(parseReference('docker.io/library/a/b')), 'library/a/b:latest');
  assert.equal(familiarReference(parseReference('docker.io/a.b/c')), 'docker.io/a.b/c:latest', 'a.b would be a registry');
});

const word = fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,4})?$/);
const reference = fc.record({
  domain: fc.constantFrom('docker.io', 'localhost', 'a.example', 'h:5000', '[::1]:80', 'UPPER'),
  path: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('/')),
  tag: fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), { nil: undefined }),
  digest: fc.boolean().map((has) => (has ? digest : undefined)),
});

test('property: a whole name and its short form are read back as they were', () => {
  fc.assert(fc.property(reference, ({ domain, path, tag, digest }) => {
    const first = parseReference(`${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`);
    assert.deepEqual(parseReference(formatReference(first)), first);
    assert.deepEqual(parseReference(familiarReference(first)), first);
  }));
});

test('property: any text is read or refused by a DelosError of one line', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z.:/@_-]{0,30}$/)), (text) => {
    try {
      assert.deepEqual(parseReference(formatReference(parseReference(text))), parseReference(text));
    } catch (error) {
      assert.ok(error instanceof DelosError && error.code === 'bad-reference' && !error.message.includes('\n'), String(error));
    }
  }));
});
