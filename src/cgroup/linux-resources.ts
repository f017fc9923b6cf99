/**
 * `linux.resources` of config.json as this folder reads it (runtime-spec config-linux.md, "Control groups"). The same shape
 * as the `Resources` of src/oci; it is told again because this folder stands before that one.
 */

/** A whole number. A parser of config.json gives a bigint where a double would lose digits. */
export type Integer = number | bigint;

export interface LinuxResources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: MemoryLimits;
  readonly cpu?: CpuLimits;
  readonly pids?: { readonly limit?: Integer };
  readonly blockIO?: BlockIoLimits;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: Integer }[];
  readonly network?: NetworkMarks;
  readonly rdma?: Readonly<Record<string, RdmaLimit>>;
  readonly unified?: Readonly<Record<string, string>>;
}

/** One line of the list of devices; a later one overrules an earlier one. */
export interface DeviceRule {
  readonly allow: boolean;
  /** All, character or block devices; absent means all. */
  readonly type?: string;
  /** Absent or -1 means every number. */
  readonly major?: Integer;
  readonly minor?: Integer;
  /** Letters out of `rwm`; absent means all three. */
  readonly access?: string;
}

/** Bytes; 0 means not set, -1 means no limit. */
export interface MemoryLimits {
  readonly limit?: Integer;
  readonly reservation?: Integer;
  readonly swap?: Integer;
  readonly kernel?: Integer;
  readonly kernelTCP?: Integer;
  readonly swappiness?: Integer;
  readonly disableOOMKiller?: boolean;
  readonly useHierarchy?: boolean;
  readonly checkBeforeUpdate?: boolean;
}

/** Times in microseconds; 0 means not set. */
export interface CpuLimits {
  readonly shares?: Integer;
  readonly quota?: Integer;
  readonly burst?: Integer;
  readonly period?: Integer;
  readonly realtimeRuntime?: Integer;
  readonly realtimePeriod?: Integer;
  readonly cpus?: string;
  readonly mems?: string;
  readonly idle?: Integer;
}

export interface BlockIoLimits {
  readonly weight?: Integer;
  readonly leafWeight?: Integer;
  readonly weightDevice?: readonly WeightDevice[];
  readonly throttleReadBpsDevice?: readonly ThrottleDevice[];
  readonly throttleWriteBpsDevice?: readonly ThrottleDevice[];
  readonly throttleReadIOPSDevice?: readonly ThrottleDevice[];
  readonly throttleWriteIOPSDevice?: readonly ThrottleDevice[];
}

export interface WeightDevice {
  readonly major: Integer;
  readonly minor: Integer;
  readonly weight?: Integer;
  readonly leafWeight?: Integer;
}

export interface ThrottleDevice {
  readonly major: Integer;
  readonly minor: Integer;
  /** Bytes or operations a second; 0 takes the limit away. */
  readonly rate: Integer;
}

export interface NetworkMarks {
  readonly classID?: Integer;
  readonly priorities?: readonly { readonly name: string; readonly priority: Integer }[];
}

export interface RdmaLimit {
  readonly hcaHandles?: Integer;
  readonly hcaObjects?: Integer;
}
