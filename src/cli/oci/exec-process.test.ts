import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Process } from '../../oci/config/types.ts';
import type { Values } from '../../vocabulary/flags.ts';
import { readFlags } from '../../vocabulary/flag-reader.ts';
import { execProcess } from './exec-process.ts';
import { execFlags } from './lifecycle-flags.ts';

const own: Process = {
  cwd: '/own', args: ['init'], env: ['PATH=/bin', 'A=1'], terminal: true, user: { uid: 5, gid: 6, additionalGids: [7] },
  capabilities: { bounding: ['CAP_KILL'], inheritable: [] }, oomScoreAdj: 3,
};

function processOf(...words: string[]): Process {
  const { values, positional } = readFlags(words, execFlags, 'urfave', true);
  return execProcess(own, values as Values<typeof execFlags>, positional.slice(1));
}

test('without flags, it is the container\'s process with other words and no terminal', () => {
  assert.deepEqual(processOf('c', 'ls', '-l', '--', '--tty'), { ...own, args: ['ls', '-l', '--', '--tty'], terminal: false });
});

test('every flag changes its part', () => {
  const words = ['-t', '-u', '1000:1001', '-g', '8', '-g', '9', '--cwd', '/x', '-e', 'A=2', '-e', 'B=3', '-c', 'CAP_SYS_TIME', '--no-new-privs', '--apparmor', 'p', '--process-label', 'l'];
  assert.deepEqual(processOf(...words, 'c', 'id'), {
    ...own, args: ['id'], terminal: true, cwd: '/x', env: ['PATH=/bin', 'A=2', 'B=3'], user: { uid: 1000, gid: 1001, additionalGids: [7, 8, 9] },
    capabilities: { bounding: ['CAP_KILL', 'CAP_SYS_TIME'], effective: ['CAP_SYS_TIME'], permitted: ['CAP_SYS_TIME'], ambient: ['CAP_SYS_TIME'], inheritable: [] },
    noNewPrivileges: true, apparmorProfile: 'p', selinuxLabel: 'l',
  });
});

test('a user without a group keeps the group', () => {
  assert.deepEqual(processOf('-u', '1000', 'c', 'id').user, { uid: 1000, gid: 6, additionalGids: [7] });
});

test('what is no id and no words at all are refused', () => {
  for (const user of ['root', '-1', '1:', '1:2:3', '4294967295', '0x1']) {
    assert.throws(() => processOf('-u', user, 'c', 'id'), { code: 'bad-usage', message: /--user: expected/ }, user);
  }
  assert.throws(() => processOf('-g', 'wheel', 'c', 'id'), { code: 'bad-usage', message: /--additional-gids: expected an id/ });
  assert.throws(() => processOf('c'), { code: 'bad-usage', message: 'process args cannot be empty' });
});
