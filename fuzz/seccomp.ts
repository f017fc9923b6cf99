// node fuzz/seccomp.ts [--seconds N] [--seed N]: random profiles, whole and broken. The compiled program must answer as the profile
// reads, and what cannot be compiled must be refused with a DelosError. Exits with 1 and the seed when it does not.
import { syscallNumbers } from '../src/abi/syscall-numbers.ts';
import { runClassic } from '../src/bpf/classic-run.ts';
import { printClassic } from '../src/bpf/classic-print.ts';
import { DelosError } from '../src/lib/errors.ts';
import { actions } from '../src/seccomp/action.ts';
import { compileSeccomp } from '../src/seccomp/compile.ts';
import { seccompData } from '../src/seccomp/data.ts';
import { evaluateSeccomp } from '../src/seccomp/evaluate.ts';
import type { SeccompProfile } from '../src/seccomp/profile.ts';
import { pick, randomCall, randomFrom, randomProfile } from '../test/fixtures/seccomp-profile.ts';
import type { Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const names = [...syscallNumbers().keys(), 'send', 'recv', 'no_such_call'];

/** Values that a config.json may hold where the specification wants something else, as far as the parser of its shape lets them through. */
const broken: readonly unknown[] = ['', 'toString', '__proto__', 'SCMP_ACT_NOTIFY', -1, 6, 0.5, 4096, 65536, 2 ** 53, 1n << 64n, -1n, NaN];

/** Replaces one leaf of the profile by something broken. */
function damaged(random: Random, profile: SeccompProfile): SeccompProfile {
  const copy = structuredClone(profile) as unknown as Record<string, unknown>;
  let place: Record<string, unknown> = copy;
  for (;;) {
    const key = pick(random, Object.keys(place));
    const value = place[key];
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      place = value as Record<string, unknown>;
      continue;
    }
    const kind = typeof value === 'bigint' ? 'number' : typeof value;
    place[key] = pick(random, broken.filter((item) => (typeof item === 'bigint' ? 'number' : typeof item) === kind).concat([value]));
    return copy as unknown as SeccompProfile;
  }
}

function tryOne(seed: number): void {
  const random = randomFrom(seed);
  const whole = randomProfile(random, { names, action: () => pick(random, Object.keys(actions)) });
  const profile = random(4) === 0 ? damaged(random, whole) : whole;
  let program: Uint8Array;
  try {
    program = compileSeccomp(profile).program;
  } catch (error) {
    if (error instanceof DelosError && error.detail.field?.startsWith('/linux/seccomp') && !error.message.includes('\n')) return;
    throw error;
  }
  printClassic(program);
  for (let count = 0; count < 40; count++) {
    const call = randomCall(random, profile);
    const compiled = runClassic(program, seccompData(call.nr, call.arch, call.args));
    const wanted = evaluateSeccomp(profile, call);
    if (compiled !== wanted) throw new Error(`nr ${call.nr}, arch ${call.arch}, args ${call.args.join(' ')}: ${compiled}, expected ${wanted}`);
  }
}

await campaign('seccomp', (runs) => `${runs} profiles, no difference`, tryOne);
