import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tarEntry, type TarEntry } from './entry.ts';
import { tarEntries } from './entries.ts';
import { END, readAll } from './testing/archive.ts';
import { tarEnd, tarHeader, tarPadding } from './writer.ts';

function roundTrip(entry: TarEntry): TarEntry {
  const [{ bytes, ...read }] = readAll(Buffer.concat([tarHeader(entry), Buffer.alloc(entry.size), tarPadding(entry.size), tarEnd()])) as [TarEntry & { bytes: string }];
  assert.equal(bytes.length, entry.size);
  return { ...read, xattrs: new Map([...read.xattrs].map(([name, value]) => [name, Uint8Array.from(value)])) };
}

test('what is written is read back', () => {
  const long = `${'folder/'.repeat(20)}${'x'.repeat(120)}`;
  for (const given of [
    { name: 'a' }, { name: 'a', size: 513 }, { name: long }, { name: `${'d/'.repeat(60)}name` }, { name: 'x'.repeat(101) }, { name: 'b\xff\n\xc3\xa4' },
    { name: 's', type: 'symlink', linkName: long }, { name: 'l', type: 'link', linkName: 'a' }, { name: 'c', type: 'character', major: 259, minor: 70000 },
    { name: 'o', uid: 4294967294, gid: 3000000, uname: 'u'.repeat(40), gname: 'g' }, { name: 'm', mode: 0o7777, mtime: { seconds: -5, nanoseconds: 7 } },
    { name: 't', mtime: { seconds: 2 ** 34, nanoseconds: 0 } }, { name: 'x', xattrs: new Map([['security.capability', Uint8Array.of(0, 1, 255, 61, 10)], ['user.e', new Uint8Array()]]) },
  ] satisfies (Partial<TarEntry> & { name: string })[]) {
    const entry = tarEntry(given);
    assert.deepEqual(roundTrip(entry), entry);
  }
});

test('a plain entry takes one block, and a folder ends with a slash', () => {
  assert.equal(tarHeader(tarEntry({ name: 'a', size: 8 ** 11 - 1 })).length, 512);
  assert.equal(tarHeader(tarEntry({ name: 'a', size: 8 ** 11 })).length, 512 * 3);
  assert.equal(roundTrip(tarEntry({ name: 'd', type: 'directory' })).name, 'd/');
});

test('the same entry gives the same bytes', () => {
  const one = tarEntry({ name: 'a', xattrs: new Map([['user.b', Uint8Array.of(1)], ['user.a', Uint8Array.of(2)]]) });
  const other = tarEntry({ name: 'a', xattrs: new Map([['user.a', Uint8Array.of(2)], ['user.b', Uint8Array.of(1)]]) });
  assert.deepEqual(tarHeader(one), tarHeader(other));
});

test('entries are streamed: read, half read and passed over', async () => {
  const archive = Buffer.concat(['one', 'two', 'three'].flatMap((name) => [tarHeader(tarEntry({ name, size: 1000 })), Buffer.alloc(1000, name), tarPadding(1000)]).concat(END));
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700);
  };
  const seen: string[] = [];
  for await (const entry of tarEntries(source())) {
    let text = '';
    if (entry.name !== 'one') {
      for await (const chunk of entry.data()) {
        text += Buffer.from(chunk).toString();
        if (entry.name === 'two') break;
      }
    }
    seen.push(`${entry.name} ${text.slice(0, 5)} ${entry.name === 'three' ? text.length : ''}`);
  }
  assert.deepEqual(seen, ['one  ', 'two twotw ', 'three three 1000']);
});
