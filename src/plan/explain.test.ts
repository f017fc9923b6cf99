import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open_how } from '../abi/structs.ts';
import { addressOf, cell, cStrings, record } from './block.ts';
import { explainJson, explainStep, explainText } from './explain.ts';
import { call, jump, Label } from './step.ts';

test('arguments are spelled in the names of the kernel', () => {
  const fd = cell('target');
  assert.equal(explainStep(call('openat', [-100, '/a "b"', 0o2000000 | 1, 0o644], 'x', { out: fd })),
    'openat(dirfd: AT_FDCWD, path: "/a \\"b\\"", flags: O_CLOEXEC|O_WRONLY, mode: 0644) -> target');
  assert.equal(explainStep(call('close', [fd], 'x')), 'close(fd: <target>)');
  assert.equal(explainStep(call('read', [fd, addressOf(fd), 8], 'x')), 'read(fd: <target>, buffer: &target, count: 8)');
  assert.match(explainStep(call('execve', ['/bin/ls', cStrings(['ls', '-l']), 0], 'x')), /argv: \["ls","-l"\]/);
});

test('a struct is printed with its members, spelled where the caller says how', () => {
  const how = record(open_how, { flags: 1, resolve: 16, mode: cell('mode').block }, { flags: () => 'O_WRONLY' });
  assert.equal(how.text(), '{flags: O_WRONLY, mode: &mode, resolve: 16}');
});

test('the text has headings, labels, steps with what they accept, and reasons', () => {
  const end = new Label('the end');
  const plan = {
    sections: [
      { name: 'one', items: [call('umask', [0o22], '/process/user/umask', { accept: { EPERM: end, EIO: 'next' }, want: 0 }), jump(end, 'over')] },
      { name: 'two', items: [end, call('exit_group', [1], 'done')] },
    ],
  } as const;
  assert.equal(explainText(plan), [
    'one:', '  umask(mask: 022)  [EPERM: the end, EIO: go on, must be 0]  # /process/user/umask', '  jump(to: the end)  # over',
    '', 'two:', ' the end:', '  exit_group(status: 1)  # done', '',
  ].join('\n'));
  assert.deepEqual(explainJson(plan), [
    { section: 'one', call: 'umask', arguments: { mask: '022' }, accepts: ['EPERM: the end', 'EIO: go on', 'must be 0'], why: '/process/user/umask' },
    { section: 'one', call: 'jump', arguments: { to: 'the end' }, why: 'over' },
    { section: 'two', labels: ['the end'], call: 'exit_group', arguments: { status: '1' }, why: 'done' },
  ]);
});
