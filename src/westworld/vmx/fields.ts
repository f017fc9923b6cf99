/** Fields of a VMCS by their encodings (SDM volume 3, 25.11.2 and appendix B). */

export const GUEST_PHYSICAL_ADDRESS = 0x2400;
export const PIN_BASED_CONTROLS = 0x4000;
export const PRIMARY_PROC_CONTROLS = 0x4002;
export const EXIT_CONTROLS = 0x400c;
export const ENTRY_CONTROLS = 0x4012;
export const SECONDARY_PROC_CONTROLS = 0x401e;
export const VM_INSTRUCTION_ERROR = 0x4400;
export const EXIT_REASON = 0x4402;
export const EXIT_INSTRUCTION_LENGTH = 0x440c;
export const EXIT_QUALIFICATION = 0x6400;
export const GUEST_CR0 = 0x6800;
export const GUEST_CR3 = 0x6802;
export const GUEST_CR4 = 0x6804;
export const GUEST_RSP = 0x681c;
export const GUEST_RIP = 0x681e;
export const GUEST_RFLAGS = 0x6820;
export const HOST_CR0 = 0x6c00;
export const HOST_CR3 = 0x6c02;
export const HOST_CR4 = 0x6c04;
export const HOST_RSP = 0x6c14;
export const HOST_RIP = 0x6c16;

/** Those that this model has. A real processor has some 200. */
export const fieldNames: ReadonlyMap<number, string> = new Map(Object.entries({
  GUEST_PHYSICAL_ADDRESS, PIN_BASED_CONTROLS, PRIMARY_PROC_CONTROLS, EXIT_CONTROLS, ENTRY_CONTROLS, SECONDARY_PROC_CONTROLS, VM_INSTRUCTION_ERROR, EXIT_REASON,
  EXIT_INSTRUCTION_LENGTH, EXIT_QUALIFICATION, GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_RSP, GUEST_RIP, GUEST_RFLAGS, HOST_CR0, HOST_CR3, HOST_CR4, HOST_RSP, HOST_RIP,
}).map(([name, encoding]) => [encoding, name]));

export interface FieldKind {
  /** Natural is 64 bits on a processor that has 64-bit mode. */
  readonly width: 16 | 32 | 64 | 'natural';
  readonly area: 'control' | 'exit information' | 'guest state' | 'host state';
  /** Number among the fields of the same width and area. */
  readonly index: number;
  /** The upper half of a field of 64 bits. */
  readonly high: boolean;
}

const widths = [16, 64, 32, 'natural'] as const;
const areas = ['control', 'exit information', 'guest state', 'host state'] as const;

/** What an encoding says of its field: bit 0 half, 9:1 index, 11:10 area, 14:13 width. */
export function fieldKind(encoding: number): FieldKind {
  return {
    width: widths[(encoding >> 13) & 3] ?? 16, area: areas[(encoding >> 10) & 3] ?? 'control', index: (encoding >> 1) & 0x1ff, high: (encoding & 1) === 1,
  };
}
