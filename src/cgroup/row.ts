import { unsupportedField } from './field-check.ts';
import { hierarchyOfController, type CgroupHost } from './hierarchy.ts';
import type { LinuxResources } from './linux-resources.ts';

/** One write to a file of the container's cgroup. The order of a list of writes is the order in which they are made. */
export interface CgroupWrite {
  /** Which directory of CgroupPaths: the v1 controller, or `''` for v2. */
  readonly controller: string;
  /** The file's name, without a directory. */
  readonly file: string;
  /** Written with one write(2). */
  readonly value: string;
  /** JSON pointer into config.json of the field that asked for it. */
  readonly why: string;
  /** A missing file or a refusal by the kernel is no failure. */
  readonly optional?: boolean;
}

/** What a cgroup that is in use holds now. Needed for an update only: the limits of a new cgroup are known. */
export interface CurrentLimits {
  /** memory.limit_in_bytes or memory.max. Absent means none. */
  readonly memoryLimit?: bigint;
  /** memory.usage_in_bytes or memory.current. */
  readonly memoryUsage?: bigint;
}

export interface RowContext {
  readonly resources: LinuxResources;
  readonly host: CgroupHost;
  /** Absent for a new cgroup. */
  readonly current: CurrentLimits | undefined;
  /** JSON pointer of the row's field. */
  readonly at: string;
}

/** A file and what to write to it; `at` where another field than the row's asked for it. */
export interface Line {
  readonly file: string;
  readonly value: string | bigint;
  readonly at?: string;
  readonly optional?: boolean;
}

/** One field of `linux.resources`, for both versions. `undefined` for the lines means that the version has no such limit. */
export interface Row<Value> {
  /** The path below `linux.resources`, `cpu/quota`. */
  readonly at: string;
  /** The controller's name in v1 and in v2; they differ in `blkio` and `io` only. */
  readonly controller: readonly [legacy: string, unified: string];
  /** The value, checked; nothing when the field is not set. */
  value(resources: LinuxResources, at: string): Value | undefined;
  legacy(value: Value, context: RowContext): readonly Line[] | undefined;
  unified(value: Value, context: RowContext): readonly Line[] | undefined;
}

export type AnyRow = (resources: LinuxResources, host: CgroupHost, current: CurrentLimits | undefined) => readonly CgroupWrite[];

/**
 * Makes a row applicable without its type of value, so that rows of many types can stand in one table.
 * It throws DelosError unsupported for a set field whose controller the host does not have, or whose version has no such limit.
 */
export function row<Value>(spec: Row<Value>): AnyRow {
  const at = `/linux/resources/${spec.at}`;
  return (resources, host, current) => {
    const value = spec.value(resources, at);
    if (value === undefined) return [];
    const [legacyName, unifiedName] = spec.controller;
    const hierarchy = hierarchyOfController(host, legacyName, unifiedName);
    const context = { resources, host, current, at };
    const isLegacy = hierarchy === undefined ? host.mode !== 'unified' : hierarchy.version === 1;
    const lines = isLegacy ? spec.legacy(value, context) : spec.unified(value, context);
    if (lines === undefined) throw unsupportedField(at, 'cgroup v2 has no such limit');
    if (lines.length === 0) return [];
    if (hierarchy === undefined) throw unsupportedField(at, missingController(host, legacyName, unifiedName));
    const controller = isLegacy ? legacyName : '';
    return lines.map((line) => ({
      controller,
      file: line.file,
      value: String(line.value),
      why: line.at ?? at,
      ...(line.optional === true && { optional: true }),
    }));
  };
}

function missingController(host: CgroupHost, legacyName: string, unifiedName: string): string {
  const name = host.mode === 'unified' ? unifiedName : legacyName;
  const there = [...new Set(host.hierarchies.flatMap(({ controllers }) => controllers))].join(' ');
  return `this host has no cgroup controller ${name} (it has: ${there === '' ? 'none' : there})`;
}
