import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pick, randomCall, randomFrom, randomProfile } from '../../test/fixtures/seccomp-profile.ts';
import { syscallNumbers } from '../abi/syscall-numbers.ts';
import { runClassic } from '../bpf/classic-run.ts';
import { actions } from './action.ts';
import { AUDIT_ARCH_X86_64 } from './architecture.ts';
import { compileSeccomp } from './compile.ts';
import { seccompData } from './data.ts';
import { defaultProfile } from './default-profile.ts';
import { evaluateSeccomp } from './evaluate.ts';
import type { SeccompProfile } from './profile.ts';

function agrees(profile: SeccompProfile, nr: number, arch: number, args: readonly bigint[], hint: string): void {
  const compiled = runClassic(compileSeccomp(profile).program, seccompData(nr, arch, args));
  const wanted = evaluateSeccomp(profile, { nr, arch, args });
  if (compiled !== wanted) {
    const shown = JSON.stringify(profile, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
    assert.fail(`${hint}: nr ${nr}, arch ${arch.toString(16)}, args ${args.join(' ')}: 0x${compiled.toString(16)}, expected 0x${wanted.toString(16)}\n${shown}`);
  }
}

test('the compiled program answers as the profile reads, for random profiles and calls at their boundaries', () => {
  const names = [...syscallNumbers().keys(), 'send', 'recv'];
  for (let seed = 1; seed <= 400; seed++) {
    const random = randomFrom(seed);
    const profile = randomProfile(random, { names, action: () => pick(random, Object.keys(actions)) });
    for (let count = 0; count < 60; count++) {
      const { nr, arch, args } = randomCall(random, profile);
      agrees(profile, nr, arch, args, `seed ${seed}`);
    }
  }
});

test('the same for the default profile, on every number', () => {
  const profile = defaultProfile(['CAP_SYS_CHROOT'], { major: 6, minor: 1 });
  for (let nr = 0; nr < 600; nr += 7) agrees(profile, nr, AUDIT_ARCH_X86_64, [1n, 0n, 0n, 0n, 0n, 0n], 'default');
});
