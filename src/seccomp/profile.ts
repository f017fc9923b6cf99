/** The `linux.seccomp` object of config.json (runtime-spec 1.3, config-linux.md "Seccomp"), as far as its shape is certain. */

/** A whole number; a bigint beyond 2^53. */
export type Integer = number | bigint;

export interface SeccompProfile {
  readonly defaultAction: string;
  /** For SCMP_ACT_ERRNO and SCMP_ACT_TRACE; EPERM if left out. */
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SeccompEntry[];
}

export interface SeccompEntry {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  /** All must hold; if one argument is named twice, each stands alone (as runc and crun have it). */
  readonly args?: readonly SeccompArgument[];
}

export interface SeccompArgument {
  /** 0 to 5. */
  readonly index: number;
  /** 0 to 2^64 - 1; for SCMP_CMP_MASKED_EQ the mask. */
  readonly value: Integer;
  /** For SCMP_CMP_MASKED_EQ what the masked argument is compared with. */
  readonly valueTwo?: Integer;
  readonly op: string;
}
