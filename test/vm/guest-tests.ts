import assert from 'node:assert/strict';
import { isAbsolute, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { root } from '../../tools/files.ts';
import { runInVm, type VmRequest } from '../../tools/vm/run.ts';

/** What became of one test in the guest. */
export interface GuestTest {
  readonly file: string;
  readonly name: string;
  readonly nesting: number;
  /** Why it was skipped. */
  readonly skip?: string;
  /** Why it failed. */
  readonly failure?: string;
}

/**
 * In the guest, delos-oci is what `./dev build` has made of it: stripping the types of all its files would take seconds a command. Of the tests' own files
 * it is the host's cache that spares them, as far as they have run there.
 */
const environment = ['DELOS_TEST_RUNTIME=build/node build/delos-oci.cjs', 'NODE_COMPILE_CACHE=build/cache/test'];

/**
 * Runs files of node:test in a virtual machine, one after the other, and says what became of each of their tests as a test of `context`.
 * @param files relative to the clone
 */
export async function runGuestTests(context: TestContext, files: readonly string[], machine: Omit<VmRequest, 'command'> = {}): Promise<void> {
  const reporter = ['--test-reporter=./test/vm/reporter.ts', '--test-reporter-destination=stdout'];
  const command = ['env', ...environment, 'build/node', '--test', '--test-concurrency=1', '--test-timeout=180000', ...reporter, ...files];
  const { exitCode, output } = await runInVm({ timeoutSeconds: 580, ...machine, command });
  const tests = output.split('\n').filter((line) => line.startsWith('{"file":')).map((line) => JSON.parse(line) as GuestTest);
  for (const { file, name, skip, failure } of tests) {
    await context.test(`${isAbsolute(file) ? relative(root, file) : file}: ${name}`, { skip: skip ?? false }, () => {
      if (failure !== undefined) assert.fail(failure);
    });
  }
  const hasFailure = tests.some(({ failure }) => failure !== undefined);
  assert.ok(tests.length > 0 && (exitCode === 0) === !hasFailure, `exit code ${exitCode} with ${tests.length} tests:\n${output.slice(-4000)}`);
}
