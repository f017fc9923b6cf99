import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCommandLine, type Values } from '../../vocabulary/flags.ts';
import { update } from './reporting-commands.ts';
import type { updateFlags } from './reporting-flags.ts';
import { resourcesOfFlags } from './update.ts';

function read(...words: string[]): unknown {
  const program = { name: 'delos-oci', summary: '', dialect: 'urfave', globals: [], commands: [update] } as const;
  const parsed = parseCommandLine(program, ['update', ...words, 'x']);
  assert.equal(parsed.kind, 'run');
  return resourcesOfFlags(parsed.invocation.flags as Values<typeof updateFlags>);
}

test('every flag becomes its property of linux.resources', () => {
  assert.deepEqual(read(
    '--memory', '100m', '--memory-reservation', '64m', '--memory-swap', '-1', '--cpu-share', '512', '--cpu-quota', '-1', '--cpu-period=50000',
    '--cpu-burst', '0', '--cpu-idle', '1', '--cpuset-cpus', '0-1', '--cpuset-mems', '0', '--pids-limit', '-1', '--blkio-weight', '500',
    '--cpu-rt-period', '1000000', '--cpu-rt-runtime', '950000',
  ), {
    memory: { limit: 104857600, reservation: 67108864, swap: -1 },
    cpu: {
      shares: 512, quota: -1, period: 50000, burst: 0, idle: 1, cpus: '0-1', mems: '0', realtimePeriod: 1000000, realtimeRuntime: 950000,
    },
    pids: { limit: -1 },
    blockIO: { weight: 500 },
  });
});

test('what is not given, 0 or empty changes nothing', () => {
  assert.deepEqual(read(), {});
  assert.deepEqual(read('--pids-limit', '0', '--memory', '0', '--cpuset-cpus', ''), {});
});

test('schemata of Intel RDT are refused, not ignored', () => {
  assert.throws(() => read('--l3-cache-schema', 'L3:0=f'), { code: 'unsupported', message: /l3-cache-schema/ });
});

test('a size that is none is a usage error', () => {
  assert.throws(() => read('--memory', '100x'), { code: 'bad-usage', message: /100x/ });
});
