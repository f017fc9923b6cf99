/** What a guest asks its machine for, as the courses on KVM number it, on every engine the same. */

/** `IrqWindow`: an interrupt could be brought in. `Intr`: the engine was called away; nothing of the guest's. */
export const exitKinds = ['IoIn', 'IoOut', 'MmioRead', 'MmioWrite', 'Hlt', 'Shutdown', 'Cpuid', 'MsrRead', 'MsrWrite', 'IrqWindow', 'Intr', 'Unknown'] as const;
export type ExitKind = (typeof exitKinds)[number];

export interface MachineExit {
  readonly kind: ExitKind;
  /** KVM's name for it (KVM_EXIT_IO), on KVM. */
  readonly reason?: string;
  /** The port, guest-physical address, MSR, CPUID leaf or vector. */
  readonly address?: number;
  /** Of one access, in bytes. */
  readonly size?: number;
  readonly value?: bigint;
  /** What answered; nothing where nothing is. */
  readonly device?: string;
  /** Accesses of one exit: a string instruction has many. */
  readonly count?: number;
  /** Until the guest could go on. */
  readonly nanoseconds: number;
}

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

const places: Readonly<Partial<Record<ExitKind, string>>> = {
  IoIn: 'port', IoOut: 'port', MmioRead: 'memory', MmioWrite: 'memory', MsrRead: 'msr', MsrWrite: 'msr', Cpuid: 'leaf', IrqWindow: 'vector',
};

/** `port 0x3f8`; '' for what has no place. */
export function exitPlace({ kind, address }: MachineExit): string {
  return address === undefined ? '' : `${places[kind] ?? ''} ${hex(address)}`;
}

/** One line: what, where, size, value, whose. */
export function exitText(exit: MachineExit): string {
  const { kind, reason, size, value, device, count } = exit;
  const parts = [
    kind, ...(kind === 'Unknown' && reason !== undefined ? [reason] : []), exitPlace(exit), ...(size === undefined ? [] : [`size ${size}`]),
    ...(value === undefined ? [] : [`value ${hex(value)}`]), ...(count === undefined || count === 1 ? [] : [`${count} times`]), ...(device === undefined ? [] : [`(${device})`]),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

const kindsOfKvm: Readonly<Record<string, ExitKind>> = {
  KVM_EXIT_HLT: 'Hlt', KVM_EXIT_SHUTDOWN: 'Shutdown', KVM_EXIT_IRQ_WINDOW_OPEN: 'IrqWindow', KVM_EXIT_INTR: 'Intr',
  KVM_EXIT_X86_RDMSR: 'MsrRead', KVM_EXIT_X86_WRMSR: 'MsrWrite',
};

/** @param write of its first access; undefined when it had none */
export function kindOfKvm(reason: string, write: boolean | undefined): ExitKind {
  if (reason === 'KVM_EXIT_IO') return write === true ? 'IoOut' : 'IoIn';
  if (reason === 'KVM_EXIT_MMIO') return write === true ? 'MmioWrite' : 'MmioRead';
  return kindsOfKvm[reason] ?? 'Unknown';
}
