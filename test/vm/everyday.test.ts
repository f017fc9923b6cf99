import { test } from 'node:test';
import { vmMissing } from '../../tools/vm/run.ts';
import { runGuestTests } from './guest-tests.ts';

test('what delos knows of its containers, on cgroup v2 alone', { skip: vmMissing() ?? false }, async (context) => {
  await runGuestTests(context, ['test/vm/guest/everyday.ts'], { modules: ['null_blk'] });
});
