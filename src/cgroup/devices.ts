import { badValue, integerOf, textOf, unsupportedField } from './field-check.ts';
import type { CgroupHost } from './hierarchy.ts';
import type { DeviceRule, Integer } from './linux-resources.ts';
import type { CgroupWrite } from './row.ts';

/** What a rule lets through or stops, <linux/bpf.h>. */
const BPF_DEVCG_ACC_MKNOD = 1;
const BPF_DEVCG_ACC_READ = 2;
const BPF_DEVCG_ACC_WRITE = 4;
const everyAccess = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

/** A rule that names devices of one type. */
export interface DeviceException {
  readonly allow: boolean;
  readonly type: 'b' | 'c';
  /** Absent stands for every number. */
  readonly major?: number;
  readonly minor?: number;
  /** BPF_DEVCG_ACC_* bits, at least one. */
  readonly access: number;
  /** JSON pointer of the rule. */
  readonly why: string;
}

/**
 * Which devices a container may use. For each kind of access the last rule that names the device decides; where none does,
 * `allowByDefault`. Every rule has its effect: those that later ones cover are left out.
 */
export interface DevicePolicy {
  readonly allowByDefault: boolean;
  readonly rules: readonly DeviceException[];
}

const pointer = '/linux/resources/devices';

/**
 * What every container may use, whatever its config.json says: make any node, and open null, zero, full, random, urandom, tty,
 * ptmx and pseudo terminals. Its /dev/console is one of the latter; 5:1, the host's console, is not for it.
 * Source: config-linux.md "Default Devices"; the same list as runc's, which adds the making of nodes.
 */
export const defaultDeviceRules: readonly DeviceRule[] = [
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...([[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 2]] as const)
    .map(([major, minor]) => ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  { allow: true, type: 'c', major: 136, access: 'rwm' },
];

/**
 * The policy of `linux.resources.devices` with the default devices after it. Nothing is allowed until a rule says so.
 * @throws DelosError bad-config for a rule that is none.
 */
export function devicePolicy(rules: readonly DeviceRule[] = []): DevicePolicy {
  let allowByDefault = false;
  let exceptions: DeviceException[] = [];
  for (const [index, rule] of [...rules, ...defaultDeviceRules].entries()) {
    const why = index < rules.length ? `${pointer}/${index}` : pointer;
    const type = textOf(rule.type ?? 'a', `${why}/type`, /^[abc]$/, '"a", "b" or "c"');
    if (type === 'a') {
      checkEverything(rule, why);
      allowByDefault = rule.allow;
      exceptions = [];
    } else {
      exceptions.push(exceptionOf(rule, type === 'b' ? 'b' : 'c', why));
    }
  }
  return { allowByDefault, rules: exceptions.filter((rule, at) => isInForce(rule, exceptions.slice(at + 1))) };
}

/** The version of cgroup that can keep a container to its devices here, v1's controller or a program on a v2 cgroup. */
export function devicesVersion(host: CgroupHost): 1 | 2 | undefined {
  if (host.hierarchies.some(({ version, controllers }) => version === 1 && controllers.includes('devices'))) return 1;
  return host.hierarchies.some(({ version }) => version === 2) ? 2 : undefined;
}

/**
 * The policy in v1: the default, then the exceptions to it.
 * @throws DelosError unsupported for a rule that takes something out of a wider exception, which v1 cannot say.
 */
export function deviceWrites(policy: DevicePolicy): CgroupWrite[] {
  const [same, other] = policy.allowByDefault ? ['devices.allow', 'devices.deny'] : ['devices.deny', 'devices.allow'];
  return [
    { controller: 'devices', file: same, value: 'a', why: pointer },
    ...legacyExceptions(policy).map((rule) => ({ controller: 'devices', file: other, value: legacyText(rule), why: rule.why })),
  ];
}

/** `c 1:3 rwm`, Documentation/admin-guide/cgroup-v1/devices.rst. */
function legacyText({ type, major, minor, access }: DeviceException): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${accessLetters(access)}`;
}

/** v1 keeps exceptions of one kind only, so a rule that agrees with the default takes from what is there already. */
function legacyExceptions({ allowByDefault, rules }: DevicePolicy): DeviceException[] {
  let exceptions: DeviceException[] = [];
  for (const rule of rules) {
    if (rule.allow !== allowByDefault) exceptions.push(rule);
    else exceptions = exceptions.map((exception) => without(exception, rule)).filter(({ access }) => access !== 0);
  }
  return exceptions.map((exception) => ({ ...exception, access: wholeAccess(exception, exceptions) }));
}

/**
 * v1 asks for one exception that has all of an access, so a narrow one has to tell what the wider ones give as well. Reading and
 * writing are asked for together, the making of a node never is.
 */
function wholeAccess(exception: DeviceException, all: readonly DeviceException[]): number {
  const wider = all.filter((other) => covers(other, exception)).reduce((access, other) => access | other.access, 0);
  return exception.access | (wider & ~BPF_DEVCG_ACC_MKNOD);
}

function without(exception: DeviceException, rule: DeviceException): DeviceException {
  if ((exception.access & rule.access) === 0 || !overlaps(rule, exception)) return exception;
  if (covers(rule, exception)) return { ...exception, access: exception.access & ~rule.access };
  throw unsupportedField(rule.why, `cgroup v1 cannot take ${legacyText(rule)} out of the wider ${legacyText(exception)} before it`);
}

function isInForce(rule: DeviceException, later: readonly DeviceException[]): boolean {
  return !later.some((other) => covers(other, rule) && (rule.access & ~other.access) === 0);
}

/** `wide` names every device that `narrow` names. */
function covers(wide: DeviceException, narrow: DeviceException): boolean {
  return wide.type === narrow.type
    && (wide.major === undefined || wide.major === narrow.major)
    && (wide.minor === undefined || wide.minor === narrow.minor);
}

/** There is a device that both name. */
function overlaps(one: DeviceException, other: DeviceException): boolean {
  return one.type === other.type
    && (one.major === undefined || other.major === undefined || one.major === other.major)
    && (one.minor === undefined || other.minor === undefined || one.minor === other.minor);
}

function exceptionOf(rule: DeviceRule, type: 'b' | 'c', why: string): DeviceException {
  const major = deviceNumber(rule.major, `${why}/major`);
  const minor = deviceNumber(rule.minor, `${why}/minor`);
  return {
    allow: rule.allow, type, access: accessOf(rule.access, `${why}/access`), why,
    ...(major !== undefined && { major }),
    ...(minor !== undefined && { minor }),
  };
}

/** v1 reads "a" as everything, whatever follows it, so anything less is a misunderstanding. */
function checkEverything(rule: DeviceRule, why: string): void {
  const isNarrow = deviceNumber(rule.major, `${why}/major`) !== undefined || deviceNumber(rule.minor, `${why}/minor`) !== undefined
    || accessOf(rule.access, `${why}/access`) !== everyAccess;
  if (isNarrow) throw badValue(why, 'type "b" or "c" for a rule that is not about every device and access', rule);
}

function deviceNumber(value: Integer | undefined, at: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(integerOf(value, at, -1n, 0x7fff_ffffn));
  return number === -1 ? undefined : number;
}

function accessOf(access: string | undefined, at: string): number {
  if (access === undefined || access === '') return everyAccess;
  textOf(access, at, /^[rwm]+$/, 'letters out of "rwm"');
  return (access.includes('r') ? BPF_DEVCG_ACC_READ : 0) | (access.includes('w') ? BPF_DEVCG_ACC_WRITE : 0)
    | (access.includes('m') ? BPF_DEVCG_ACC_MKNOD : 0);
}

function accessLetters(access: number): string {
  return (access & BPF_DEVCG_ACC_READ ? 'r' : '') + (access & BPF_DEVCG_ACC_WRITE ? 'w' : '') + (access & BPF_DEVCG_ACC_MKNOD ? 'm' : '');
}
