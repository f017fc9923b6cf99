import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TarReader } from './reader.ts';
import { END, header, member, octal, padded, pax, readAll } from './testing/archive.ts';

const all = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, END]);
const refuses = (archive: Buffer, message: RegExp): void => {
  assert.throws(() => readAll(archive), { name: 'DelosError', code: 'bad-archive', message });
};

test('an archive is read the same however it is cut', () => {
  const archive = all(
    pax([['path', 'a/long'], ['SCHILY.xattr.user.x', '\0\xff=\n']]), member({ name: 'short' }, 'x'.repeat(1300)), member({ name: 'b' }, 'bb'),
    member({ name: './././@LongLink', flag: 'L', magic: 'ustar  \0' }, `${'d/'.repeat(120)}\0`), member({ name: 'cut', flag: '5', magic: 'ustar  \0' }),
  );
  const whole = readAll(archive);
  assert.deepEqual(whole.map(({ name, type, size }) => [name, type, size]), [['a/long', 'file', 1300], ['b', 'file', 2], ['d/'.repeat(120), 'directory', 0]]);
  assert.deepEqual([...whole[0]!.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]), [['user.x', '\0\xff=\n']]);
  for (const step of [1, 2, 3, 511, 512, 513, 700]) assert.deepEqual(readAll(archive, step), whole, `${step} bytes at a time`);
});

test('every type and field of a ustar header', () => {
  const fields = { mode: '0104755\0', uid: '0001750\0', gid: '0000144\0', mtime: octal(1234567890), raw: [[265, 'me'], [297, 'us']] as const };
  const [file, ...rest] = readAll(all(
    member({ ...fields, name: 'f', prefix: 'p/q' }, 'data'), member({ name: 'l', flag: '1', link: 'f' }), member({ name: 's', flag: '2', link: '../x' }),
    member({ name: 'c', flag: '3', major: '0000005\0', minor: '0000001\0' }), member({ name: 'b', flag: '4', major: '0000010\0', minor: '0000003\0' }),
    member({ name: 'd', flag: '5' }), member({ name: 'p', flag: '6' }), member({ name: '7', flag: '7' }, 'seven'), member({ name: 'old', flag: '\0', magic: '' }, 'v7'),
    member({ name: 'olddir/', flag: '\0', magic: '' }),
  ));
  const { name, mode, uid, gid, uname, gname, mtime, bytes } = file!;
  assert.deepEqual({ name, mode, uid, gid, uname, gname, mtime, bytes }, {
    name: 'p/q/f', mode: 0o4755, uid: 1000, gid: 100, uname: 'me', gname: 'us', mtime: { seconds: 1234567890, nanoseconds: 0 }, bytes: 'data',
  });
  assert.deepEqual(rest.map((e) => [e.name, e.type, e.linkName, e.major, e.minor, e.bytes]), [
    ['l', 'link', 'f', 0, 0, ''], ['s', 'symlink', '../x', 0, 0, ''], ['c', 'character', '', 5, 1, ''], ['b', 'block', '', 8, 3, ''], ['d', 'directory', '', 0, 0, ''],
    ['p', 'fifo', '', 0, 0, ''], ['7', 'file', '', 0, 0, 'seven'], ['old', 'file', '', 0, 0, 'v7'], ['olddir/', 'directory', '', 0, 0, ''],
  ]);
});

test("an extended header's size counts, not the header's: no entry is smuggled in as data, or the other way round", () => {
  const smuggled = Buffer.concat([member({ name: 'inner' }, 'hidden')]);
  const found = readAll(all(pax([['size', String(smuggled.length)]]), header({ name: 'outer', size: octal(0) }), smuggled, member({ name: 'after' })));
  assert.deepEqual(found.map(({ name }) => name), ['outer', 'after']);
  refuses(all(pax([['size', '-1']]), header({ name: 'outer' })), /the extended header's size is not valid/);
  refuses(Buffer.concat([pax([['size', '1048576']]), header({ name: 'outer' }), END]), /ends within "outer"/);
});

test('only files have data, whatever size others claim', () => {
  const found = readAll(all(header({ name: 'l', flag: '2', link: 'x', size: octal(512) }), member({ name: 'next' })));
  assert.deepEqual(found.map(({ name, size }) => [name, size]), [['l', 0], ['next', 0]]);
});

test('global headers hold for all that follows, an own record over them, and may not name files', () => {
  const found = readAll(all(
    pax([['uid', '7'], ['comment', 'of git']], 'g'), member({ name: 'a' }), pax([['uid', '8']]), member({ name: 'b' }), pax([['uid', '']]), member({ name: 'c', uid: '0000011\0' }),
  ));
  assert.deepEqual(found.map(({ uid }) => uid), [7, 8, 9]);
  for (const key of ['path', 'linkpath', 'size']) refuses(all(pax([[key, '1']], 'g'), member({ name: 'a' })), /a global extended header has "/);
});

test('records are refused that lie of their length or hold a NUL', () => {
  for (const body of ['5 a=b\n', '99 a=b\n', 'x a=b\n', '6 a=b ', '5 =b\n', '0 a=b\n', '-6 a=b\n', '6 a_b\n', '6a=b\n', '6 a=b\n6\0a=b\n']) {
    refuses(all(member({ name: 'x', flag: 'x' }, body), member({ name: 'a' })), /a record of an extended header is not/);
  }
  for (const key of ['path', 'linkpath', 'uname', 'gname']) refuses(all(pax([[key, 'a\0b']]), member({ name: 'a' })), /is not valid/);
  for (const key of ['uid', 'gid', 'mtime']) refuses(all(pax([[key, '1x']]), member({ name: 'a' })), /is not valid/);
});

const pieces = [{ offset: 3, length: 2 }, { offset: 10, length: 1 }];
const sparseBytes = '\0\0\0ab\0\0\0\0\0c\0';

test('sparse files of all four kinds', () => {
  const old = header({
    name: 's', flag: 'S', magic: 'ustar  \0', size: octal(3), raw: [[386, octal(3)], [398, octal(2)], [410, octal(10)], [422, octal(1)], [434, octal(12)], [446, octal(0)], [483, octal(12)]],
  });
  const kinds = [
    Buffer.concat([old, padded('abc')]),
    Buffer.concat([pax([['GNU.sparse.size', '12'], ['GNU.sparse.numblocks', '2'], ['GNU.sparse.offset', '3'], ['GNU.sparse.numbytes', '2'], ['GNU.sparse.offset', '10'], ['GNU.sparse.numbytes', '1']]), member({ name: 's' }, 'abc')]),
    Buffer.concat([pax([['GNU.sparse.size', '12'], ['GNU.sparse.name', 's'], ['GNU.sparse.map', '3,2,10,1']]), member({ name: 'GNUSparseFile.0/s' }, 'abc')]),
    Buffer.concat([pax([['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', 's'], ['GNU.sparse.realsize', '12']]), member({ name: 'GNUSparseFile.0/s' }, Buffer.concat([padded('2\n3\n2\n10\n1\n'), Buffer.from('abc')]))]),
  ];
  for (const [index, kind] of kinds.entries()) {
    for (const step of [1, 513, 100000]) {
      const [entry, next] = readAll(all(kind, member({ name: 'next' }, 'n')), step);
      assert.deepEqual([entry!.name, entry!.size, entry!.bytes, entry!.pieces], ['s', 12, sparseBytes, pieces], `kind ${index}`);
      assert.deepEqual([next!.name, next!.bytes], ['next', 'n']);
    }
  }
});

test('an old GNU map goes on in blocks behind the header', () => {
  const pairs = Array.from({ length: 30 }, (_, index) => octal(index * 10) + octal(1));
  const raw = pairs.slice(0, 4).map((pair, index) => [386 + 24 * index, pair] as const);
  const first = Buffer.from(pairs.slice(4, 25).join('').padEnd(504, '\0') + '\x01'.padEnd(8, '\0'), 'latin1');
  const second = padded(pairs.slice(25).join(''));
  const [entry] = readAll(all(header({ name: 's', flag: 'S', magic: 'ustar  \0', size: octal(30), raw: [...raw, [482, '\x01'], [483, octal(300)]] }), first, second, padded('x'.repeat(30))));
  assert.equal(entry!.bytes, `x${'\0'.repeat(9)}`.repeat(30));
});

test('maps are refused that overlap, go beyond the file, or do not sum up', () => {
  const map = (text: string, size = '12'): Buffer => all(pax([['GNU.sparse.size', size], ['GNU.sparse.map', text]]), member({ name: 's' }, 'abc'));
  refuses(map('3,2,4,1'), /does not fit/);
  refuses(map('10,1,3,2'), /does not fit/);
  refuses(map('3,2,12,1'), /does not fit/);
  refuses(map('3,2'), /has 2 bytes, the archive 3/);
  refuses(map('3,2,10'), /not pairs/);
  refuses(map('3,x'), /not pairs/);
  refuses(map('0,3', '-1'), /no size/);
  const leading = (body: string): Buffer => all(pax([['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', '12']]), member({ name: 's' }, padded(body)));
  refuses(leading('99999999\n0\n1\n'), /longer than its data/);
  refuses(leading('x\n'), /not pairs/);
});

test('limits: metadata and names', () => {
  refuses(all(header({ name: 'L', flag: 'L', size: octal(2 ** 30) })), /an extended header of 1073741824 bytes/);
  refuses(all(pax([['path', 'n'.repeat(5000)]]), member({ name: 'a' })), /a name or link of 5000 bytes/);
  refuses(all(pax([['linkpath', 'n'.repeat(5000)]]), member({ name: 'a', flag: '2' })), /a name or link of 5000 bytes/);
  refuses(all(member({ name: '' })), /a name or link of 0 bytes/);
  const small = new TarReader({ entry() {}, data() {}, end() {} }, { metadata: 100 });
  assert.throws(() => small.push(pax([['comment', 'x'.repeat(200)]])), { code: 'bad-archive' });
  const global = Buffer.concat(Array.from({ length: 12 }, (_, index) => pax([[`c${index}`, 'x'.repeat(99_000)]], 'g')));
  refuses(all(global), /global extended headers of/);
});

test('what is cut off or damaged says where', () => {
  const archive = all(member({ name: 'a' }, 'x'.repeat(600)), member({ name: 'b' }));
  refuses(archive.subarray(0, 100), /at byte 100: it ends within a header/);
  refuses(archive.subarray(0, 1000), /at byte 1000: it ends within "a"/);
  refuses(pax([['path', 'x']]), /ends behind an extended header/);
  refuses(pax([['path', 'x']]).subarray(0, 516), /ends within an extended header/);
  const damaged = Buffer.from(archive);
  damaged[1536 + 5] = 1;
  refuses(damaged, /at byte 1536: no tar header: its checksum is wrong/);
  refuses(Buffer.concat([member({ name: 'a' }), Buffer.alloc(512), member({ name: 'b' })]), /something stands behind the end/);
  refuses(all(member({ name: 'a\n\x1b[31m', flag: 'Z' })), /^the archive at byte 0: "a\\n\\u001b\[31m" is of the unknown type "Z"$/);
});

test('an archive may end without zeros, and has nothing behind them', () => {
  assert.equal(readAll(member({ name: 'a' })).length, 1);
  assert.equal(readAll(Buffer.concat([member({ name: 'a' }), Buffer.alloc(512)])).length, 1);
  assert.equal(readAll(all(member({ name: 'a' }), END, member({ name: 'b' }))).length, 1);
});
