/** From values back to the kernel's names, for --explain, messages and tables. Built on first use. */
import * as capability from './capability.ts';
import * as clone from './clone.ts';
import * as errno from './errno.ts';
import * as fcntl from './fcntl.ts';
import * as mount from './mount.ts';
import * as process from './process.ts';
import * as resource from './resource.ts';
import * as seccomp from './seccomp.ts';
import * as bpf from './bpf.ts';
import * as signal from './signal.ts';
import * as socket from './socket.ts';

export type ErrnoName = keyof typeof errno;
export type SignalName = keyof typeof signal;

const headers: readonly Record<string, number>[] = [capability, clone, errno, fcntl, mount, process, resource, seccomp, bpf, signal, socket];
let constants: readonly [string, number][] | undefined;
const families = new Map<string, readonly [string, number][]>();

/** The constants whose names start with one of the `|`-separated prefixes. */
function family(prefixes: string): readonly [string, number][] {
  let found = families.get(prefixes);
  if (!found) {
    const starts = prefixes.split('|');
    constants ??= headers.flatMap((header) => Object.entries(header));
    found = constants.filter(([name]) => starts.some((start) => name.startsWith(start)));
    families.set(prefixes, found);
  }
  return found;
}

/** `MS_NOSUID|MS_NODEV`; bits without a name in hexadecimal; 0 as `0`. */
export function flagNames(prefixes: string, value: number | bigint): string {
  let rest = BigInt.asUintN(64, BigInt(value));
  const names: string[] = [];
  for (const [name, bit] of family(prefixes)) {
    const mask = BigInt(bit);
    if (mask > 0n && (rest & mask) === mask) {
      names.push(name);
      rest &= ~mask;
    }
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.join('|') || '0';
}

/** The one constant of the family with this value, or the number itself. */
export function enumName(prefixes: string, value: number | bigint): string {
  return family(prefixes).find(([, number]) => BigInt(number) === BigInt(value))?.[0] ?? String(value);
}

/** `ENOENT` for 2. It looks at errors alone: a probe that is refused is part of each start. */
export function errnoName(value: number): string {
  for (const name in errno) if (errno[name as ErrnoName] === value) return name;
  return String(value);
}

/** The number of an errno by name. */
export function errnoValue(name: ErrnoName): number {
  return errno[name];
}
