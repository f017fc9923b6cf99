import { checkCgroupsPath } from './checks/cgroups-path.ts';
import type { Check } from './checks/check.ts';
import { checkDevices } from './checks/devices.ts';
import { checkMountMappings, checkUserNamespace } from './checks/id-mappings.ts';
import { checkMemoryPolicy } from './checks/memory-policy.ts';
import { checkMounts } from './checks/mounts.ts';
import { checkNames } from './checks/names.ts';
import { checkNamespaces } from './checks/namespaces.ts';
import { checkNetDevices } from './checks/net-devices.ts';
import { checkPresence } from './checks/presence.ts';
import * as process from './checks/process.ts';
import { checkSysctl } from './checks/sysctl.ts';
import { checkTimeOffsets } from './checks/time-offsets.ts';
import { checkUnsupported } from './checks/unsupported.ts';
import type { Config, Process } from './types.ts';

/** What a configuration is told beside being good: sentences of one line, each beginning with the place it is about. */
export interface Verdict {
  readonly warnings: string[];
}

/** checkNamespaces comes first: the others ask for the one namespace of a type. */
const checks: readonly Check[] = [
  checkNamespaces,
  checkPresence,
  checkNames,
  checkUserNamespace,
  checkTimeOffsets,
  checkMounts,
  checkMountMappings,
  checkDevices,
  checkNetDevices,
  checkSysctl,
  checkMemoryPolicy,
  checkCgroupsPath,
  checkUnsupported,
];

/**
 * Judges what parseConfig leaves open: everything that takes two properties, or a fact of Linux, but nothing of this host.
 * @throws DelosError bad-config for what cannot be, unsupported for what this project does not do.
 */
export function checkConfig(config: Config): Verdict {
  const warnings: string[] = [];
  for (const check of checks) check(config, (sentence) => warnings.push(sentence));
  return { warnings };
}

/** The same for the process of `exec`. */
export function checkProcess(candidate: Process): Verdict {
  const warnings: string[] = [];
  process.checkProcess(candidate, (sentence) => warnings.push(sentence));
  return { warnings };
}
