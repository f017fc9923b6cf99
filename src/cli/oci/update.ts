import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { parseResources } from '../../oci/config/parse.ts';
import type { Resources } from '../../oci/config/types.ts';
import { updateContainer } from '../../runtime/update.ts';
import type { Values } from '../../vocabulary/flags.ts';
import type { OciInvocation } from './invocation.ts';
import type { updateFlags } from './reporting-flags.ts';

export async function run({ globals: { root }, flags, caller, positional: [id = ''] }: OciInvocation<typeof updateFlags>): Promise<number> {
  const { resources: file } = flags;
  const changes = file === undefined ? resourcesOfFlags(flags) : parseResources(readInput(file, caller.cwd));
  await updateContainer(root, id, changes);
  return 0;
}

/** @throws DelosError unsupported for the schemata of Intel RDT, bad-usage for a limit that is no limit */
export function resourcesOfFlags(flags: Values<typeof updateFlags>): Resources {
  for (const name of ['l3-cache-schema', 'mem-bw-schema'] as const) {
    if (flags[name]) throw new DelosError('unsupported', `--${name}: Intel RDT is not supported`);
  }
  return withoutEmpty({
    memory: {
      limit: given(flags.memory),
      reservation: given(flags['memory-reservation']),
      swap: given(flags['memory-swap']),
    },
    cpu: {
      shares: given(flags['cpu-share']),
      quota: given(flags['cpu-quota']),
      period: given(flags['cpu-period']),
      burst: flags['cpu-burst'],
      realtimeRuntime: given(flags['cpu-rt-runtime']),
      realtimePeriod: given(flags['cpu-rt-period']),
      cpus: given(flags['cpuset-cpus']),
      mems: given(flags['cpuset-mems']),
      idle: flags['cpu-idle'],
    },
    pids: { limit: given(flags['pids-limit']) },
    blockIO: { weight: given(flags['blkio-weight']) },
  });
}

/** runc, and the engines that speak to it, give 0 and the empty string for a limit they do not mean to change. */
function given<Value>(value: Value): Value | undefined {
  return value === 0 || value === '' ? undefined : value;
}

function withoutEmpty(groups: Record<string, Record<string, number | string | undefined>>): Resources {
  const present = Object.entries(groups).map(([group, limits]) => [group, Object.entries(limits).filter(([, limit]) => limit !== undefined)] as const);
  return Object.fromEntries(present.flatMap(([group, limits]) => (limits.length === 0 ? [] : [[group, Object.fromEntries(limits)]]))) as Resources;
}

function readInput(file: string, cwd: string): Uint8Array {
  try {
    return fs.readFileSync(file === '-' ? 0 : path.resolve(cwd, file));
  } catch (cause) {
    throw new DelosError('io', `${file === '-' ? 'stdin' : file}: cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
