import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveUser } from './user.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1001::/home/alice:/bin/sh\nnohome:x:7:7:::\n# c:x:9:9::/:\n1234:x:55:55::/n:\nbig:x:99999999999:0::/:\n';
const group = 'root:x:0:\nalice:x:1001:\nwheel:x:10:root,alice\ndocker:x:998:alice\n';

const found: [string, [number, number, number[], string]][] = [
  ['', [0, 0, [10], '/root']],
  ['root', [0, 0, [10], '/root']],
  ['0', [0, 0, [10], '/root']],
  ['alice', [1000, 1001, [10, 998], '/home/alice']],
  ['1000', [1000, 1001, [10, 998], '/home/alice']],
  ['alice:wheel', [1000, 10, [], '/home/alice']],
  ['alice:0', [1000, 0, [], '/home/alice']],
  ['alice:', [1000, 1001, [10, 998], '/home/alice']],
  [':wheel', [0, 10, [], '/root']],
  ['4000', [4000, 0, [], '/']],
  ['4000:4001', [4000, 4001, [], '/']],
  ['nohome', [7, 7, [], '/']],
  ['1234', [1234, 0, [], '/']],
];
for (const [spec, [uid, gid, additionalGids, home]] of found) {
  test(`user '${spec}'`, () => assert.deepEqual(resolveUser(spec, passwd, group), { uid, gid, additionalGids, home }));
}

test('users that are not', () => {
  const messages: [string, string][] = [
    ['bob', 'unable to find user bob: no matching entries in passwd file'],
    ['c', 'unable to find user c: no matching entries in passwd file'],
    ['big', 'unable to find user big: no matching entries in passwd file'],
    ['alice:staff', 'unable to find group staff: no matching entries in group file'],
    ['a:b:c', "invalid user 'a:b:c': expected <name|uid>[:<group|gid>]"],
    ['-1', 'invalid id -1: uids and gids must be in range 0-2147483647'],
    ['4294967296', 'invalid id 4294967296: uids and gids must be in range 0-2147483647'],
  ];
  for (const [spec, message] of messages) assert.throws(() => resolveUser(spec, passwd, group), { code: 'bad-usage', message });
  assert.deepEqual(resolveUser('0:0', '', ''), { uid: 0, gid: 0, additionalGids: [], home: '/' });
});
