/**
 * cpu_state to and from what KVM keeps of a processor. Each part is one ioctl each way; a part that is as KVM gave it last is not sent
 * back, so that what cpu_state does not have (an interrupt on its way, registers of AVX-512) and clocks that run on are left alone.
 */
import {
  KVM_GET_DEBUGREGS, KVM_GET_MP_STATE, KVM_GET_REGS, KVM_GET_SREGS, KVM_GET_VCPU_EVENTS, KVM_GET_XCRS, KVM_GET_XSAVE, KVM_MP_STATE_HALTED,
  KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED, KVM_SET_DEBUGREGS, KVM_SET_MP_STATE, KVM_SET_REGS, KVM_SET_SREGS,
  KVM_SET_VCPU_EVENTS, KVM_SET_XCRS, KVM_SET_XSAVE, KVM_X86_SHADOW_INT_MOV_SS, KVM_X86_SHADOW_INT_STI, kvm_debugregs, kvm_mp_state, kvm_regs, kvm_sregs,
  kvm_vcpu_events, kvm_xcrs, xcrsSize, xsaveSize,
} from '../../abi/kvm.ts';
import { cpuState, generalRegisters, segmentRegisters, UNUSABLE } from '../../cpu/state.ts';
import { Msrs } from './msrs.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

/** A part of the state: an ioctl that gets it, one that sets it, and how its bytes and cpu_state's belong together. */
export interface Part {
  readonly name: string;
  readonly get: number;
  readonly set: number;
  /** Bytes of the struct. */
  readonly size: number;
  toState(part: DataView, state: DataView): void;
  /** Changes what cpu_state has, leaves the rest. */
  fromState(state: DataView, part: DataView): void;
}

const at = cpuState.fields;

/** Where a value of 64 bits is in both. */
type Pair = readonly [part: number, state: number];

function words(name: string, get: number, set: number, size: number, pairs: readonly Pair[]): Part {
  return {
    name, get, set, size,
    toState: (part, state) => copy(pairs, part, state, 0, 1),
    fromState: (state, part) => copy(pairs, state, part, 1, 0),
  };
}

function copy(pairs: readonly Pair[], from: DataView, to: DataView, source: 0 | 1, target: 0 | 1): void {
  for (const pair of pairs) {
    to.setUint32(pair[target], from.getUint32(pair[source], true), true);
    to.setUint32(pair[target] + 4, from.getUint32(pair[source] + 4, true), true);
  }
}

const general = words('regs', KVM_GET_REGS, KVM_SET_REGS, kvm_regs.size, [...generalRegisters, 'rip', 'rflags'].map((name) => {
  const register = name as keyof typeof kvm_regs.fields;
  return [kvm_regs.fields[register].offset, at[register].offset];
}));

const sregs = kvm_sregs.fields;
const control = (['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const).map((name): Pair => [sregs[name].offset, at[name].offset]);
const system: readonly Pair[] = [
  ...control, [sregs.apic_base.offset, at.apicBase.offset], [sregs['gdt.base'].offset, at.gdtrBase.offset], [sregs['idt.base'].offset, at.idtrBase.offset],
];
const limits = [[sregs['gdt.limit'].offset, at.gdtrLimit.offset], [sregs['idt.limit'].offset, at.idtrLimit.offset]] as const;

/** Segments: offsets in kvm_segment, which is the same for each, and the first bytes of both. */
const segments = segmentRegisters.map((name): Pair => [sregs[`${name === 'ldtr' ? 'ldt' : name}.base`].offset, at[`${name}Base`].offset]);
const within = (part: 'base' | 'limit' | 'selector' | 'type' | 'present' | 'dpl' | 'db' | 's' | 'l' | 'g' | 'avl' | 'unusable'): number => {
  return sregs[`cs.${part}`].offset - sregs['cs.base'].offset;
};
const limitIn = within('limit');
const selectorIn = within('selector');
/** Where each attribute is in kvm_segment, its first bit in cpu_state's, and its bits. */
const attributes = [
  [within('type'), 0, 15], [within('s'), 4, 1], [within('dpl'), 5, 3], [within('present'), 7, 1], [within('unusable'), Math.log2(UNUSABLE), 1],
  [within('avl'), 12, 1],
  [within('l'), 13, 1], [within('db'), 14, 1], [within('g'), 15, 1],
] as const;
const stateLimit = at.esLimit.offset - at.esBase.offset;
const stateSelector = at.esSelector.offset - at.esBase.offset;
const stateAttributes = at.esAttributes.offset - at.esBase.offset;

const special: Part = {
  name: 'sregs', get: KVM_GET_SREGS, set: KVM_SET_SREGS, size: kvm_sregs.size,
  toState(part, state) {
    copy(system, part, state, 0, 1);
    copy(segments, part, state, 0, 1);
    for (const [from, to] of limits) state.setUint32(to, part.getUint16(from, true), true);
    for (const [from, to] of segments) {
      state.setUint32(to + stateLimit, part.getUint32(from + limitIn, true), true);
      state.setUint16(to + stateSelector, part.getUint16(from + selectorIn, true), true);
      state.setUint16(to + stateAttributes, attributes.reduce((all, [offset, shift]) => all | (part.getUint8(from + offset) << shift), 0), true);
    }
  },
  fromState(state, part) {
    copy(system, state, part, 1, 0);
    copy(segments, state, part, 1, 0);
    for (const [to, from] of limits) part.setUint16(to, state.getUint32(from, true), true);
    for (const [to, from] of segments) {
      part.setUint32(to + limitIn, state.getUint32(from + stateLimit, true), true);
      part.setUint16(to + selectorIn, state.getUint16(from + stateSelector, true), true);
      const bits = state.getUint16(from + stateAttributes, true);
      for (const [offset, shift, mask] of attributes) part.setUint8(to + offset, (bits >> shift) & mask);
    }
  },
};

/** The XSAVE image: FXSAVE's bytes up to the last XMM register, a header that says what is in use, the upper halves of YMM. */
const legacySize = 416;
const headerOffset = 512;
const ymmOffset = 576;
const ymmSize = 256;

function bytesOf(view: DataView, offset: number, length: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, length);
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

const mxcsrMaskOffset = 28;

const extended: Part = {
  name: 'xsave', get: KVM_GET_XSAVE, set: KVM_SET_XSAVE, size: xsaveSize,
  toState(part, state) {
    bytesOf(state, at.fcw.offset, legacySize).set(bytesOf(part, 0, legacySize));
    bytesOf(state, at.ymm0Low.offset, ymmSize).set(bytesOf(part, ymmOffset, ymmSize));
  },
  fromState(state, part) {
    const mask = part.getUint32(mxcsrMaskOffset, true);
    const legacy = bytesOf(state, at.fcw.offset, legacySize);
    const ymm = bytesOf(state, at.ymm0Low.offset, ymmSize);
    if (same(legacy, bytesOf(part, 0, legacySize)) && same(ymm, bytesOf(part, ymmOffset, ymmSize))) return;
    bytesOf(part, 0, legacySize).set(legacy);
    part.setUint32(mxcsrMaskOffset, mask, true);
    bytesOf(part, ymmOffset, ymmSize).set(ymm);
    // Where there are no YMM registers, naming them is refused.
    part.setUint32(headerOffset, part.getUint32(headerOffset, true) | 3 | (ymm.some((byte) => byte !== 0) ? 4 : 0), true);
  },
};

const xcr0 = words('xcrs', KVM_GET_XCRS, KVM_SET_XCRS, xcrsSize, [[kvm_xcrs.fields['xcrs[0].value'].offset, at.xcr0.offset]]);

const debug = words('debugregs', KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, kvm_debugregs.size, [
  ...[at.dr0, at.dr1, at.dr2, at.dr3].map((field, index): Pair => [kvm_debugregs.fields.db.offset + index * 8, field.offset]),
  [kvm_debugregs.fields.dr6.offset, at.dr6.offset], [kvm_debugregs.fields.dr7.offset, at.dr7.offset],
]);

const events = kvm_vcpu_events.fields;
const deliveries = ['exception.injected', 'exception.pending', 'interrupt.injected', 'nmi.injected'] as const;
const shadows = [[KVM_X86_SHADOW_INT_STI, 1], [KVM_X86_SHADOW_INT_MOV_SS, 2]] as const;

const pending: Part = {
  name: 'vcpu_events', get: KVM_GET_VCPU_EVENTS, set: KVM_SET_VCPU_EVENTS, size: kvm_vcpu_events.size,
  toState(part, state) {
    const shadow = part.getUint8(events['interrupt.shadow'].offset);
    state.setUint32(at.interruptShadow.offset, shadows.find(([bit]) => (shadow & bit) !== 0)?.[1] ?? 0, true);
    state.setUint32(at.nmiBlocked.offset, part.getUint8(events['nmi.masked'].offset), true);
    state.setUint32(at.nmiPending.offset, part.getUint8(events['nmi.pending'].offset), true);
  },
  fromState(state, part) {
    const shadow = state.getUint32(at.interruptShadow.offset, true);
    part.setUint8(events['interrupt.shadow'].offset, shadows.find(([, value]) => value === shadow)?.[0] ?? 0);
    part.setUint8(events['nmi.masked'].offset, state.getUint32(at.nmiBlocked.offset, true));
    part.setUint8(events['nmi.pending'].offset, state.getUint32(at.nmiPending.offset, true));
  },
};

/** By cpu_state's `activity`. */
const mpStates = [KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_HALTED, KVM_MP_STATE_UNINITIALIZED, KVM_MP_STATE_INIT_RECEIVED];

/** Only KVM's own interrupt controllers wake processors up; without them it has no other state than running. */
const activity: Part = {
  name: 'mp_state', get: KVM_GET_MP_STATE, set: KVM_SET_MP_STATE, size: kvm_mp_state.size,
  toState: (part, state) => state.setUint32(at.activity.offset, Math.max(0, mpStates.indexOf(part.getUint32(0, true))), true),
  fromState: (state, part) => part.setUint32(0, mpStates[state.getUint32(at.activity.offset, true)] ?? KVM_MP_STATE_RUNNABLE, true),
};

/** In the order in which KVM is told: EFER and CR4 before what depends on them. */
const always: readonly Part[] = [special, general, xcr0, extended, debug, pending];

/** One processor's state on both sides. */
export class StateExchange {
  readonly #vcpu: Vcpu;
  readonly #msrs: Msrs;
  readonly #parts;

  /** @param kernelInterrupts the interrupt controllers are KVM's */
  constructor(vcpu: Vcpu, kernelInterrupts: boolean) {
    this.#vcpu = vcpu;
    this.#msrs = new Msrs(vcpu);
    this.#parts = [...always, ...(kernelInterrupts ? [activity] : [])].map((part) => {
      const bytes = new Uint8Array(part.size);
      return { part, bytes, view: new DataView(bytes.buffer), known: bytes.slice() };
    });
    this.get(new DataView(new ArrayBuffer(cpuState.size)));
  }

  /** KVM's into `state`. */
  get(state: DataView): void {
    for (const { part, bytes, view, known } of this.#parts) {
      kvmCall(`getting ${part.name}`, this.#vcpu.fd, part.get, bytes);
      known.set(bytes);
      part.toState(view, state);
    }
    this.#msrs.get(state);
  }

  /** Whether an interrupt or an exception was on its way into the guest at {@link get}: its handler has not been entered. */
  get delivering(): boolean {
    const known = this.#parts.find(({ part }) => part === pending)?.known;
    return deliveries.some((name) => known?.[events[name].offset] !== 0);
  }

  /**
   * What has changed in `state` since {@link get}, into KVM.
   * @returns whether anything has
   * @throws DelosError when KVM does not take it
   */
  set(state: DataView): boolean {
    let changed = false;
    for (const { part, bytes, view, known } of this.#parts) {
      part.fromState(state, view);
      if (same(bytes, known)) continue;
      kvmCall(`setting ${part.name}`, this.#vcpu.fd, part.set, bytes);
      known.set(bytes);
      changed = true;
    }
    return this.#msrs.set(state) || changed;
  }
}
