import * as capability from '../abi/capability.ts';
import { PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, PR_CAP_AMBIENT_RAISE, PR_CAPBSET_DROP, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, _LINUX_CAPABILITY_VERSION_3 } from '../abi/process.ts';
import { cap_user_data, cap_user_header } from '../abi/structs.ts';
import { bytes, record, type Block } from '../plan/block.ts';
import { call, type Item, type Step } from '../plan/step.ts';
import type { CapabilitySet } from './config/types.ts';
import { hasNew, namespaceOf, type Build, type Field } from './field.ts';

/** A set of capabilities as the kernel's bits; unknown names and those this kernel does not have are left out, as runc does. */
export function capabilityBits({ config, facts }: Build, set: CapabilitySet): bigint {
  const names = config.process?.capabilities?.[set] ?? [];
  return names
    .map((name) => capability[name as keyof typeof capability])
    .filter((number) => number !== undefined && number <= facts.lastCapability)
    .reduce((bits, number) => bits | (1n << BigInt(number)), 0n);
}

/** process.noNewPrivileges, prctl(2). */
export const noNewPrivileges: Field = {
  at: ['/process/noNewPrivileges'],
  support: 'full',
  init: ({ config }) => (config.process?.noNewPrivileges ? [call('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], '/process/noNewPrivileges')] : []),
};

/** process.capabilities.bounding: while CAP_SETPCAP is still there. An absent capabilities object means none at all. */
export const boundingSet: Field = {
  at: ['/process/capabilities/bounding'],
  support: 'full',
  init: (build) => {
    const kept = capabilityBits(build, 'bounding');
    const steps: Item[] = [];
    for (let number = 0; number <= build.facts.lastCapability; number++) {
      if (kept & (1n << BigInt(number))) continue;
      steps.push(call('prctl', [PR_CAPBSET_DROP, number, 0, 0, 0], '/process/capabilities/bounding'));
    }
    return steps;
  },
};

/** process.user: the ids, keeping the capabilities over the change so that the sets below can be made of them. */
export const user: Field = {
  at: ['/process/user', '/process/user/uid', '/process/user/gid', '/process/user/additionalGids'],
  support: 'full',
  init: (build) => {
    const { uid = 0, gid = 0, additionalGids = [] } = build.config.process?.user ?? {};
    return [
      call('prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0], '/process/user/uid'),
      ...setGroups(build, additionalGids),
      call('setresgid', [gid, gid, gid], '/process/user/gid'),
      call('setresuid', [uid, uid, uid], '/process/user/uid'),
      call('prctl', [PR_SET_KEEPCAPS, 0, 0, 0, 0], '/process/user/uid'),
    ];
  },
};

/** Where an unprivileged map has denied setgroups(2), the groups cannot change; asking for some then is refused by the kernel. */
function setGroups({ config, facts }: Build, groups: readonly number[]): Step[] {
  const denied = facts.uid !== 0 && hasNew(config, 'user') && !facts.idMapTools;
  if (denied && groups.length === 0) return [];
  const list = new Uint8Array(new Uint32Array(groups).buffer);
  const joined = namespaceOf(config, 'user') !== undefined && groups.length === 0;
  return [call('setgroups', [groups.length, groups.length > 0 ? bytes(list, `[${groups.join(', ')}]`) : 0], '/process/user/additionalGids', joined ? { accept: { EPERM: 'next' } } : {})];
}

/** process.capabilities, the other four sets. Ambient ones that are not inheritable too cannot be raised; like runc, that is let pass. capabilities(7) */
export const capabilities: Field = {
  at: ['permitted', 'effective', 'inheritable', 'ambient'].map((set) => `/process/capabilities/${set}`),
  support: 'full',
  init: (build) => {
    const sets = { effective: capabilityBits(build, 'effective'), permitted: capabilityBits(build, 'permitted'), inheritable: capabilityBits(build, 'inheritable') };
    const ambient = capabilityBits(build, 'ambient');
    const raise: Item[] = [];
    for (let number = 0; number <= build.facts.lastCapability; number++) {
      if ((ambient & (1n << BigInt(number))) === 0n) continue;
      raise.push(call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0], '/process/capabilities/ambient', { accept: { EPERM: 'next' } }));
    }
    return [
      call('capset', [record(cap_user_header, { version: _LINUX_CAPABILITY_VERSION_3 }), capabilityData(sets)], '/process/capabilities'),
      call('prctl', [PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], '/process/capabilities/ambient'),
      ...raise,
    ];
  },
};

type DataSets = Readonly<Record<'effective' | 'permitted' | 'inheritable', bigint>>;

/** Both 32-bit halves of the three sets, as capset(2) wants them. */
function capabilityData(sets: DataSets): Block {
  const low = record(cap_user_data, half(sets, 0n));
  const high = record(cap_user_data, half(sets, 32n));
  const text = Object.entries(sets).map(([name, bits]) => `${name}: 0x${bits.toString(16)}`);
  return bytes(Buffer.concat([low.bytes, high.bytes]), `{${text.join(', ')}}`);
}

function half(sets: DataSets, shift: bigint): Record<keyof DataSets, number> {
  const part = (bits: bigint): number => Number((bits >> shift) & 0xffffffffn);
  return { effective: part(sets.effective), permitted: part(sets.permitted), inheritable: part(sets.inheritable) };
}
