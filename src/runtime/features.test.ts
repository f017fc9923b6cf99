import assert from 'node:assert/strict';
import test from 'node:test';
import { parseMountOptions } from '../oci/mount/options.ts';
import { compileSeccomp } from '../seccomp/compile.ts';
import { features } from './features.ts';

const { linux, mountOptions, annotations } = features('1.2.3');

test('no mount option of the list is taken for one of the file system', () => {
  for (const option of mountOptions) assert.deepEqual(parseMountOptions([option]).data, [], option);
  assert.equal(new Set(mountOptions).size, mountOptions.length);
});

test('every seccomp action, operator, architecture and flag of the list compiles', () => {
  const { actions, operators, archs, supportedFlags } = linux.seccomp;
  const compile = (action: string, op: string) =>
    compileSeccomp({
      defaultAction: 'SCMP_ACT_ALLOW', architectures: archs, flags: supportedFlags, listenerPath: '/run/agent.sock',
      syscalls: [{ names: ['personality'], action, args: [{ index: 0, value: 8, valueTwo: 8, op }] }],
    });
  for (const action of actions) assert.ok(compile(action, 'SCMP_CMP_EQ').program.length > 0, action);
  for (const operator of operators) assert.ok(compile('SCMP_ACT_ERRNO', operator).program.length > 0, operator);
});

test('what the plan has no field for is not claimed', () => {
  assert.equal(linux.seccomp.enabled, true);
  assert.deepEqual(linux.memoryPolicy.flags, ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES']);
  assert.equal(annotations['org.delos.version'], '1.2.3');
});
