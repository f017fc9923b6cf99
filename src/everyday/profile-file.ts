import { array, object, optional, string } from '../oci/config/shape.ts';
import type { Shape } from '../oci/config/shape.ts';
import { parseJson } from '../oci/config/json.ts';
import { spelled } from '../oci/config/refuse.ts';
import { seccomp } from '../oci/config/schema/seccomp.ts';
import type { Seccomp, SeccompSyscall } from '../oci/config/types.ts';
import { DelosError } from '../lib/errors.ts';
import type { HostFacts } from './facts.ts';

/** When a rule of docker's profile format counts: all of `includes`, none of `excludes`. */
interface Condition {
  readonly caps?: readonly string[];
  /** As Go calls them: `amd64`. */
  readonly arches?: readonly string[];
  /** `4.8` */
  readonly minKernel?: string;
}

interface ArchMap {
  readonly architecture: string;
  readonly subArchitectures?: readonly string[];
}

/** What docker's format has beyond the specification's. */
interface ProfileFile extends Omit<Seccomp, 'syscalls'> {
  readonly archMap?: readonly ArchMap[];
  readonly syscalls?: readonly Partial<ProfileRule>[];
}

interface ProfileRule extends SeccompSyscall {
  /** The old form of `names`. */
  readonly name?: string;
  readonly comment?: string;
  readonly includes?: Condition;
  readonly excludes?: Condition;
}

const condition = object<Condition>({ caps: optional(array(string)), arches: optional(array(string)), minKernel: optional(string) });
const conditions = object<Pick<ProfileFile, 'archMap' | 'syscalls'>>({
  archMap: optional(array(object<ArchMap>({ architecture: string, subArchitectures: optional(array(string)) }))),
  syscalls: optional(array(object<Pick<ProfileRule, 'includes' | 'excludes'>>({ includes: optional(condition), excludes: optional(condition) }))),
});

/**
 * Reads a seccomp profile, in the specification's form or in docker's (with `archMap` and conditional rules), and keeps the rules that
 * count for a container with these capabilities on this kernel. `path` is for messages. Throws `bad-config`.
 */
export function parseProfileFile(path: string, text: string, capabilities: readonly string[], kernel: HostFacts['kernel']): Seccomp {
  const read = parseJson(text, path);
  check(path, conditions, read);
  const file = read as ProfileFile;
  const named = { ...file, syscalls: (file.syscalls ?? []).map(({ name, ...rule }) => (name === undefined ? rule : { ...rule, names: [name] })) };
  check(path, seccomp, named);
  const { archMap, syscalls, ...profile } = named as Omit<ProfileFile, 'syscalls'> & { syscalls: readonly ProfileRule[] };
  const native = archMap?.find(({ architecture }) => architecture === 'SCMP_ARCH_X86_64');
  const counting = syscalls.filter(({ includes = {}, excludes = {} }) =>
    holds(includes, capabilities, kernel, true) && !holds(excludes, capabilities, kernel, false));
  return {
    ...profile,
    ...(native === undefined ? {} : { architectures: [native.architecture, ...(native.subArchitectures ?? [])] }),
    syscalls: counting.map(({ includes: _includes, excludes: _excludes, comment: _comment, ...rule }) => rule),
  };
}

function check(path: string, shape: Shape<unknown>, value: unknown): void {
  const fault = shape(value);
  if (fault !== undefined) throw new DelosError('bad-config', `${path}: ${spelled(fault.path) || 'the document'}: expected ${fault.expected}`);
}

/** `all`: every part that is given must hold (includes); otherwise one is enough (excludes). */
function holds({ caps = [], arches = [], minKernel }: Condition, granted: readonly string[], kernel: HostFacts['kernel'], all: boolean): boolean {
  const parts: boolean[] = [];
  if (arches.length > 0) parts.push(arches.includes('amd64'));
  if (caps.length > 0) parts.push(all ? caps.every((name) => granted.includes(name)) : caps.some((name) => granted.includes(name)));
  if (minKernel !== undefined && minKernel !== '') {
    const [major = 0, minor = 0] = minKernel.split('.').map(Number);
    parts.push(kernel.major > major || (kernel.major === major && kernel.minor >= minor));
  }
  return all ? parts.every(Boolean) : parts.some(Boolean);
}
