import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProfileFile } from './profile-file.ts';

const kernel = { release: '5.4.0', major: 5, minor: 4 };
const allow = { action: 'SCMP_ACT_ALLOW' };
const docker = {
  defaultAction: 'SCMP_ACT_ERRNO',
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }, { architecture: 'SCMP_ARCH_S390X', subArchitectures: null }],
  syscalls: [
    { names: ['read'], ...allow, args: null, comment: 'always', includes: {}, excludes: {} },
    { name: 'write', ...allow },
    { names: ['ptrace'], ...allow, includes: { minKernel: '4.8' } },
    { names: ['later'], ...allow, includes: { minKernel: '5.10' } },
    { names: ['bpf'], ...allow, includes: { caps: ['CAP_BPF'] } },
    { names: ['mount'], ...allow, includes: { caps: ['CAP_SYS_ADMIN'] } },
    { names: ['clone'], ...allow, excludes: { caps: ['CAP_SYS_ADMIN'], arches: ['s390'] } },
    { names: ['clone3'], ...allow, excludes: { caps: ['CAP_BPF'] } },
    { names: ['arch_prctl'], ...allow, includes: { arches: ['amd64', 'x32'] } },
    { names: ['s390_runtime_instr'], ...allow, includes: { arches: ['s390x'] } },
  ],
};

test('docker\'s format: the rules that count remain, in the form of the specification', () => {
  const profile = parseProfileFile('p.json', JSON.stringify(docker), ['CAP_BPF'], kernel);
  assert.deepEqual(profile, {
    defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: ['read', 'write', 'ptrace', 'bpf', 'clone', 'arch_prctl'].map((name) => ({ names: [name], ...allow })),
  });
});

test('the specification\'s format, with exact 64-bit arguments', () => {
  const text = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["personality"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}';
  assert.equal(parseProfileFile('p.json', text, [], kernel).syscalls?.[0]?.args?.[0]?.value, 18446744073709551615n);
});

test('what is no profile', () => {
  for (const text of ['', '[]', '{}', '{"defaultAction":1}', '{"defaultAction":"A","syscalls":1}', '{"defaultAction":"A","syscalls":[{}]}', '{"defaultAction":"A","syscalls":[null]}',
    '{"defaultAction":"A","syscalls":[{"names":["a"],"action":"B","includes":{"caps":1}}]}', '{"defaultAction":"A","archMap":[1]}']) {
    assert.throws(() => parseProfileFile('p.json', text, [], kernel), { code: 'bad-config', message: /^p\.json[^\n]*$/ }, text);
  }
});
