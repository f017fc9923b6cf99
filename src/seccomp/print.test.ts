import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSeccomp } from './compile.ts';
import { actionText, printSeccomp } from './print.ts';

test('a filter reads as text, with names for ABIs, calls, arguments and answers', () => {
  const { program } = compileSeccomp({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86'],
    syscalls: [
      { names: ['reboot'], action: 'SCMP_ACT_ERRNO' },
      { names: ['personality'], action: 'SCMP_ACT_KILL_PROCESS', args: [{ index: 0, value: 0x1_0000_0002n, op: 'SCMP_CMP_EQ' }] },
    ],
  });
  const lines = printSeccomp(program).split('\n');
  assert.match(lines[0] ?? '', /^ 0: ld \[4\] +; arch$/);
  assert.match(lines[1] ?? '', /; AUDIT_ARCH_X86_64$/);
  assert.match(lines[2] ?? '', /; AUDIT_ARCH_I386$/);
  const notes = lines.map((line) => line.split('; ')[1]);
  // i386 numbers come first: reboot is 88 there and 169 on x86-64.
  assert.match(lines.find((line) => line.includes('; reboot')) ?? '', /jge 0x58 /);
  assert.match(lines.findLast((line) => line.includes('; reboot')) ?? '', /jge 0xa9 /);
  for (const note of ['nr', 'args[0] high', 'args[0] low', 'SECCOMP_RET_ALLOW', 'SECCOMP_RET_ERRNO EPERM', 'SECCOMP_RET_KILL_PROCESS', 'SECCOMP_RET_KILL_THREAD', 'personality']) {
    assert.ok(notes.includes(note), note);
  }
});

test('an answer is spelled with its data', () => {
  assert.equal(actionText(0x50026), 'SECCOMP_RET_ERRNO ENOSYS');
  assert.equal(actionText(0x7ff00007), 'SECCOMP_RET_TRACE 7');
  assert.equal(actionText(0x7fc00000), 'SECCOMP_RET_USER_NOTIF');
  assert.equal(actionText(0x12340000), '0x12340000');
});
