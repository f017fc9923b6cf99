import { test } from 'node:test';
import { vmMissing } from '../../tools/vm/run.ts';
import { runGuestTests } from './guest-tests.ts';

// The tests that ran on this host's kernel and cgroups run again where nothing but v2 is mounted, with all its controllers.
test('the integration tests, on cgroup v2 alone', { skip: vmMissing() ?? false }, async (context) => {
  await runGuestTests(context, ['test/integration/cgroup.test.ts', 'test/integration/runtime.test.ts']);
});
