import * as capability from '../abi/capability.ts';
import type { CreateFlags } from './flags.ts';
import { badFlag } from './refusal.ts';

/** What docker leaves a container's root: enough for packages and servers, nothing that reaches the host. */
export const defaultCapabilities: readonly string[] = [
  'CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETFCAP',
  'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE',
];

const numbers: ReadonlyMap<string, number> = new Map(Object.entries(capability).filter(([name]) => name.startsWith('CAP_')));

/** Every capability the kernel has, `last` being the highest number it knows. */
function allCapabilities(last: number): string[] {
  return [...numbers].filter(([, number]) => number <= last).toSorted(([, a], [, b]) => a - b).map(([name]) => name);
}

/**
 * The names a container's bounding set holds. `--cap-drop ALL` leaves only what is added, `--cap-add ALL` everything that is not dropped.
 * Throws `bad-usage` for names that are none, and for those this kernel has not.
 */
export function grantedCapabilities(flags: Pick<CreateFlags, 'privileged' | 'cap-add' | 'cap-drop'>, last: number): string[] {
  const known = allCapabilities(last);
  const added = flags['cap-add'].map((text) => normalized('cap-add', text, known));
  const dropped = flags['cap-drop'].map((text) => normalized('cap-drop', text, known));
  if (flags.privileged) return known;
  if (dropped.includes('ALL')) return added.includes('ALL') ? known : [...new Set(added)];
  const basis = added.includes('ALL') ? known : [...defaultCapabilities, ...added];
  return [...new Set(basis)].filter((name) => !dropped.includes(name) && known.includes(name));
}

/** `net_admin`, `CAP_NET_ADMIN` and `Net_Admin` are the same. */
function normalized(flag: string, text: string, known: readonly string[]): string {
  const upper = text.toUpperCase();
  if (upper === 'ALL') return upper;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!numbers.has(name)) throw badFlag(flag, text, 'there is no such capability (capabilities(7) lists them)');
  if (!known.includes(name)) throw badFlag(flag, text, 'this kernel does not know it');
  return name;
}
