import { fieldKind, fieldNames, VM_INSTRUCTION_ERROR } from './fields.ts';

/** What a processor writes into the first four bytes of a VMCS, and wants to find there. Bit 31 would make it a shadow VMCS. */
export const REVISION = 0x0000_0001;

/** How a VMX instruction ended, as CF and ZF say it (SDM volume 3, 31.2). */
export type Outcome =
  | { readonly kind: 'succeed' }
  /** CF: there is no current VMCS to put a number in. */
  | { readonly kind: 'fail-invalid' }
  /** ZF: the number is in VM_INSTRUCTION_ERROR. */
  | { readonly kind: 'fail-valid'; readonly error: number };

export const succeed: Outcome = { kind: 'succeed' };
export const failInvalid: Outcome = { kind: 'fail-invalid' };

/** VM-instruction errors (SDM volume 3, 31.4). */
export const ERROR_VMLAUNCH_NOT_CLEAR = 4;
export const ERROR_VMRESUME_NOT_LAUNCHED = 5;
export const ERROR_HOST_STATE = 8;
export const ERROR_VMPTRLD_REVISION = 11;
export const ERROR_UNSUPPORTED_FIELD = 12;
export const ERROR_READ_ONLY_FIELD = 13;
export const ERROR_VMXON_IN_ROOT = 15;

/** One virtual processor's control structure: in silicon at most 4 KB with a layout that is nobody's business. */
export class Vmcs {
  readonly revision: number;
  /** VMLAUNCH wants it clear, VMRESUME launched. A new one is neither: only VMCLEAR says so. */
  launch: 'unknown' | 'clear' | 'launched' = 'unknown';
  readonly #values = new Map<number, bigint>();

  constructor(revision: number = REVISION) {
    this.revision = revision;
  }

  /** The processor's own access, to read-only fields too. */
  get(field: number): bigint {
    return this.#values.get(field) ?? 0n;
  }

  set(field: number, value: bigint): void {
    const { width } = fieldKind(field);
    this.#values.set(field, BigInt.asUintN(width === 'natural' ? 64 : width, value));
  }

  /** Notes why an instruction failed. */
  fail(error: number): Outcome {
    this.set(VM_INSTRUCTION_ERROR, BigInt(error));
    return { kind: 'fail-valid', error };
  }

  /** What VMREAD does. */
  read(field: number): bigint | Outcome {
    return fieldNames.has(field) ? this.get(field) : this.fail(ERROR_UNSUPPORTED_FIELD);
  }

  /** What VMWRITE does. What a VM exit says is not for writing. */
  write(field: number, value: bigint): Outcome {
    if (!fieldNames.has(field)) return this.fail(ERROR_UNSUPPORTED_FIELD);
    if (fieldKind(field).area === 'exit information') return this.fail(ERROR_READ_ONLY_FIELD);
    this.set(field, value);
    return succeed;
  }
}
