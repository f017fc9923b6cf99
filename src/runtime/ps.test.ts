import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterTable } from './ps.ts';

test('the header and the lines of the pids remain, wherever the column is', () => {
  assert.equal(filterTable('  PID TTY\n    1 ?\n   12 ?\n', new Set([12])), '  PID TTY\n   12 ?\n');
  assert.equal(filterTable('UID   PID  PPID CMD\nroot    1     0 a 12\nroot   12     1 b\n', new Set([12])), 'UID   PID  PPID CMD\nroot   12     1 b\n');
  assert.equal(filterTable('PID\n1\n', new Set()), 'PID\n');
  assert.throws(() => filterTable('TTY\n?\n', new Set([1])), { code: 'bad-usage' });
});
