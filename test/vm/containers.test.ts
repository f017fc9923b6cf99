import { test } from 'node:test';
import { vmMissing } from '../../tools/vm/run.ts';
import { runGuestTests } from './guest-tests.ts';

test('containers on a stock kernel: cgroup v2 alone, AppArmor, CAP_SYS_RESOURCE', { skip: vmMissing() ?? false }, async (context) => {
  await runGuestTests(context, ['test/vm/guest/containers.ts'], { modules: ['null_blk', 'bfq'] });
});

test('a container on a stock kernel with cgroup v1 alone', { skip: vmMissing() ?? false }, async (context) => {
  await runGuestTests(context, ['test/vm/guest/legacy.ts'], { cgroup: 'legacy', modules: ['cls_cgroup'] });
});
