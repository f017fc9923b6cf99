/** Why VT-x left a guest (SDM volume 3, appendix C). In the order of their numbers; 35, 38, 42 and 71 are not used. */
export const exitReasons = [
  'EXCEPTION_NMI', 'EXTERNAL_INTERRUPT', 'TRIPLE_FAULT', 'INIT_SIGNAL', 'SIPI', 'IO_SMI', 'SMI', 'INTERRUPT_WINDOW', 'NMI_WINDOW', 'TASK_SWITCH',
  'CPUID', 'GETSEC', 'HLT', 'INVD', 'INVLPG', 'RDPMC', 'RDTSC', 'RSM', 'VMCALL', 'VMCLEAR',
  'VMLAUNCH', 'VMPTRLD', 'VMPTRST', 'VMREAD', 'VMRESUME', 'VMWRITE', 'VMXOFF', 'VMXON', 'CR_ACCESS', 'DR_ACCESS',
  'IO_INSTRUCTION', 'MSR_READ', 'MSR_WRITE', 'INVALID_GUEST_STATE', 'MSR_LOAD_FAIL', undefined, 'MWAIT', 'MONITOR_TRAP_FLAG', undefined, 'MONITOR',
  'PAUSE', 'MCE_DURING_ENTRY', undefined, 'TPR_BELOW_THRESHOLD', 'APIC_ACCESS', 'VIRTUALIZED_EOI', 'GDTR_IDTR_ACCESS', 'LDTR_TR_ACCESS', 'EPT_VIOLATION', 'EPT_MISCONFIG',
  'INVEPT', 'RDTSCP', 'PREEMPTION_TIMER', 'INVVPID', 'WBINVD', 'XSETBV', 'APIC_WRITE', 'RDRAND', 'INVPCID', 'VMFUNC',
  'ENCLS', 'RDSEED', 'PML_FULL', 'XSAVES', 'XRSTORS', 'PCONFIG', 'SPP_EVENT', 'UMWAIT', 'TPAUSE', 'LOADIWKEY',
  'ENCLV', undefined, 'ENQCMD_PASID', 'ENQCMDS_PASID', 'BUS_LOCK', 'NOTIFY',
] as const;

export type ExitReason = NonNullable<(typeof exitReasons)[number]>;

/** The number of a reason. */
export function reasonNumber(name: ExitReason): number {
  return exitReasons.indexOf(name);
}

export interface Exit {
  /** Bits 15:0. */
  readonly basic: number;
  readonly name: ExitReason | undefined;
  /** Bit 31: the guest never ran, its state was refused. */
  readonly entryFailed: boolean;
  /** Bit 29: out of root mode itself, by a monitor of system management. */
  readonly fromRoot: boolean;
  /** Bit 28: a single step was pending. */
  readonly pendingStep: boolean;
  /** Bit 27: out of an SGX enclave. */
  readonly inEnclave: boolean;
}

/** The field EXIT_REASON taken apart: the number alone is not the reason. */
export function exitOf(field: number): Exit {
  const bit = (number: number): boolean => ((field >>> number) & 1) === 1;
  const basic = field & 0xffff;
  return { basic, name: exitReasons[basic], entryFailed: bit(31), fromRoot: bit(29), pendingStep: bit(28), inEnclave: bit(27) };
}

export interface PortAccess {
  /** In bytes. */
  readonly size: 1 | 2 | 4;
  readonly isIn: boolean;
  readonly isString: boolean;
  readonly isRepeated: boolean;
  readonly port: number;
}

/** The qualification of IO_INSTRUCTION (SDM volume 3, table 28-5). */
export function portAccess(qualification: bigint): PortAccess {
  const bits = Number(BigInt.asUintN(32, qualification));
  return {
    size: ((bits & 7) + 1) as 1 | 2 | 4, isIn: (bits & 8) !== 0, isString: (bits & 16) !== 0, isRepeated: (bits & 32) !== 0, port: bits >>> 16,
  };
}

/** The same the other way round. */
export function portQualification({ size, isIn, isString, isRepeated, port }: PortAccess): bigint {
  return BigInt((port * 0x1_0000) + (size - 1) + (isIn ? 8 : 0) + (isString ? 16 : 0) + (isRepeated ? 32 : 0));
}
