import { DelosError } from '../lib/errors.ts';
import type { Seccomp } from '../oci/config/types.ts';
import { defaultProfile } from '../seccomp/default-profile.ts';
import { parseBoolean } from '../vocabulary/units.ts';
import type { HostFacts } from './facts.ts';
import { parseProfileFile } from './profile-file.ts';
import { badFlag } from './refusal.ts';

/** `--security-opt`, all of them read. */
export interface SecurityOptions {
  /** `builtin`, `unconfined`, or the path of a profile. */
  readonly seccomp?: string;
  readonly apparmor?: string;
  /** Parts of an SELinux label, or `disable`. */
  readonly label: Readonly<Record<string, string>> | 'disable';
  readonly noNewPrivileges: boolean;
  /** /proc and /sys without masked and read-only paths. */
  readonly systemPathsUnconfined: boolean;
}

const labelParts: readonly string[] = ['user', 'role', 'type', 'level'];

/** Reads `--security-opt name=value` (docker's older `name:value` too). Throws `bad-usage`. */
export function parseSecurityOptions(texts: readonly string[]): SecurityOptions {
  let options: SecurityOptions = { label: {}, noNewPrivileges: false, systemPathsUnconfined: false };
  for (const text of texts) options = withOption(options, text);
  return options;
}

function withOption(options: SecurityOptions, text: string): SecurityOptions {
  const at = text.search(/[=:]/);
  const [name, value] = at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  if (name === 'no-new-privileges') return { ...options, noNewPrivileges: value === undefined || parseBoolean(value) };
  if (value === undefined || value === '') throw badFlag('security-opt', text, 'expected name=value or no-new-privileges');
  if (name === 'seccomp') return { ...options, seccomp: value };
  if (name === 'apparmor') return { ...options, apparmor: value };
  if (name === 'label') return { ...options, label: withLabel(options.label, text, value) };
  if (name === 'systempaths' && value === 'unconfined') return { ...options, systemPathsUnconfined: true };
  throw badFlag('security-opt', text, 'expected seccomp=, apparmor=, label=, no-new-privileges or systempaths=unconfined');
}

function withLabel(label: SecurityOptions['label'], text: string, value: string): SecurityOptions['label'] {
  if (value === 'disable') return 'disable';
  const colon = value.indexOf(':');
  const part = value.slice(0, Math.max(colon, 0));
  if (!labelParts.includes(part) || colon === value.length - 1) throw badFlag('security-opt', text, 'expected label=disable or label=user|role|type|level:VALUE');
  return label === 'disable' ? label : { ...label, [part]: value.slice(colon + 1) };
}

/** The path of the seccomp profile that must be read, if one is named. Throws `bad-usage`. */
export function seccompProfilePath(texts: readonly string[]): string | undefined {
  const { seccomp } = parseSecurityOptions(texts);
  return seccomp === undefined || seccomp === 'unconfined' || seccomp === 'builtin' ? undefined : seccomp;
}

/** The filter: the one named, none for `unconfined`, none for a privileged container unless one is named, else our default. */
export function seccompFilter(security: SecurityOptions, privileged: boolean, capabilities: readonly string[], host: HostFacts): Seccomp | undefined {
  const { seccomp = privileged ? 'unconfined' : 'builtin' } = security;
  if (seccomp === 'unconfined') return undefined;
  if (seccomp === 'builtin') return defaultProfile(capabilities, host.kernel);
  const text = Object.hasOwn(host.files, seccomp) ? host.files[seccomp] : undefined;
  if (text === undefined) throw new DelosError('io', `--security-opt seccomp=${seccomp}: the profile could not be read`);
  return parseProfileFile(seccomp, text, capabilities, host.kernel);
}

/** `process.apparmorProfile`. Throws `unsupported` where a profile is named and the kernel has no AppArmor. */
export function apparmorProfile({ apparmor }: SecurityOptions, privileged: boolean, host: HostFacts): string | undefined {
  if (!host.apparmor) {
    if (apparmor === undefined || apparmor === 'unconfined') return undefined;
    throw new DelosError('unsupported', `--security-opt apparmor=${apparmor}: this kernel has no AppArmor`);
  }
  return apparmor ?? (privileged ? 'unconfined' : undefined);
}

/** `process.selinuxLabel`: the parts asked for, the rest as for any container. Throws `unsupported` where parts are asked for in vain. */
export function selinuxLabel({ label }: SecurityOptions, host: HostFacts): string | undefined {
  if (label === 'disable' || Object.keys(label).length === 0) return undefined;
  if (!host.selinux) throw new DelosError('unsupported', '--security-opt label=...: this kernel has no SELinux');
  const { user = 'system_u', role = 'system_r', type = 'container_t', level = 's0' } = label;
  return `${user}:${role}:${type}:${level}`;
}

/** What docker hides from a container: facts about the host, and files that reach its hardware. */
export const maskedPaths: readonly string[] = [
  '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/sched_debug', '/proc/scsi',
  '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap', '/sys/firmware',
];

/** What a container may read but not write: most of it belongs to no namespace. */
export const readonlyPaths: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
