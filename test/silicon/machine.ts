import {
  KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_MMIO, KVM_GET_REGS, KVM_GET_SREGS, KVM_SET_REGS, KVM_SET_SREGS, KVM_SET_XCRS, kvm_regs, kvm_run_emulation_failure,
  kvm_run_mmio, kvm_sregs,
  kvm_xcrs, xcrsSize,
} from '../../src/abi/kvm.ts';
import { EINTR } from '../../src/abi/errno.ts';
import { errnoName } from '../../src/abi/names.ts';
import { setCpuid, supportedCpuid } from '../../src/engine/kvm/cpuid.ts';
import { Alarm } from '../../src/engine/kvm/alarm.ts';
import { acceptKicks, takeKicks } from '../../src/engine/kvm/kick.ts';
import { kvmCall, type Vcpu } from '../../src/engine/kvm/vcpu.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { put, type Layout } from '../../src/lib/layout.ts';
import { furnish } from './guest.ts';
import * as at from './layout.ts';

/** Of the driver's data in RAM: how many cases are still to do, and where the next result goes. */
const remaining = at.driverData - at.base + 16;
const resultEnd = at.driverData - at.base + 8;

/** A case that is not through after that long won't be. */
const patienceNs = 600e6;

/** The virtual machine that the driver runs in. */
export class SiliconGuest {
  readonly ram: Uint8Array;
  readonly #view: DataView;
  readonly #vm = new Vm();
  readonly #vcpu: Vcpu;
  readonly #alarm: Alarm;

  constructor() {
    try {
      const { buffer } = new WebAssembly.Memory({ initial: at.ramSize >> 16, maximum: at.ramSize >> 16, shared: true });
      this.ram = new Uint8Array(buffer);
      this.#view = new DataView(buffer);
      furnish(this.ram);
      this.#vm.addSlot({ guestAddress: 0, bytes: this.ram, readOnly: false, logDirtyPages: false });
      this.#vcpu = this.#vm.addVcpu(0);
      setCpuid(this.#vcpu, supportedCpuid(this.#vm.system));
      this.#reset(at.driver);
      acceptKicks(this.#vcpu);
      this.#alarm = new Alarm();
      const said = this.#untilBell();
      if (said !== undefined) throw new Error(`assertion: the driver does not start: ${said}`);
    } catch (error) {
      this.#vm.close();
      throw error;
    }
  }

  /**
   * Runs the cases that have been written to {@link at.cases}.
   * @returns which of them KVM could not run, by their place, and why
   */
  run(count: number): Map<number, string> {
    const lost = new Map<number, string>();
    this.#view.setUint32(remaining, count, true);
    this.#alarm.set(patienceNs);
    let before = -1;
    for (;;) {
      const said = this.#untilBell();
      if (said === undefined) break;
      const place = count - this.#view.getUint32(remaining, true);
      if (said !== 'time') {
        lost.set(place, said);
        this.#reset(at.abandoned);
      } else {
        if (place === before) this.#goTo(at.abandoned);
        this.#alarm.set(patienceNs);
      }
      before = place;
    }
    this.#alarm.set(0);
    return lost;
  }

  /** A copy of what the driver has written down. */
  results(): Uint8Array {
    return this.ram.slice(at.results - at.base, this.#view.getUint32(resultEnd, true) - at.base);
  }

  close(): void {
    this.#alarm.close();
    this.#vm.close();
  }

  /** Undefined when the driver has rung; `time` when the alarm has; else why KVM stopped. */
  #untilBell(): string | undefined {
    const vcpu = this.#vcpu;
    let result = vcpu.enter();
    while (result === -EINTR) {
      if (takeKicks()) return 'time';
      result = vcpu.enter();
    }
    if (result < 0) return errnoName(-result);
    if (vcpu.exitReason !== KVM_EXIT_MMIO) return this.#sayExit();
    const address = Number(vcpu.view.getBigUint64(kvm_run_mmio.fields['mmio.phys_addr'].offset, true));
    return address === at.doorbellPhysical ? undefined : `access to 0x${address.toString(16)}`;
  }

  #sayExit(): string {
    const { view, exitReason } = this.#vcpu;
    if (exitReason !== KVM_EXIT_INTERNAL_ERROR) return `KVM exit ${exitReason}`;
    const { fields } = kvm_run_emulation_failure;
    const first = fields['emulation_failure.insn_bytes'].offset;
    const bytes = Array.from({ length: 15 }, (_, index) => view.getUint8(first + index).toString(16).padStart(2, '0'));
    return `KVM internal error ${view.getUint32(fields['emulation_failure.suberror'].offset, true)}: ${bytes.join(' ')}`;
  }

  #goTo(rip: number): void {
    const regs = new Uint8Array(kvm_regs.size);
    kvmCall('KVM_GET_REGS', this.#vcpu.fd, KVM_GET_REGS, regs);
    put(new DataView(regs.buffer), kvm_regs.fields.rip.offset, 'u64', rip);
    kvmCall('KVM_SET_REGS', this.#vcpu.fd, KVM_SET_REGS, regs);
  }

  /** The processor at ring 3, at `rip`. */
  #reset(rip: number): void {
    const { fd } = this.#vcpu;
    const sregs = new Uint8Array(kvm_sregs.size);
    kvmCall('KVM_GET_SREGS', fd, KVM_GET_SREGS, sregs);
    fill(kvm_sregs, sregs, longMode());
    kvmCall('KVM_SET_SREGS', fd, KVM_SET_SREGS, sregs);
    const xcrs = new Uint8Array(xcrsSize);
    fill(kvm_xcrs, xcrs, { nr_xcrs: 1, 'xcrs[0].value': 7 });
    kvmCall('KVM_SET_XCRS', fd, KVM_SET_XCRS, xcrs);
    const regs = new Uint8Array(kvm_regs.size);
    fill(kvm_regs, regs, { rip, rflags: 0x202, rsp: at.stackTop - 0x800 });
    kvmCall('KVM_SET_REGS', fd, KVM_SET_REGS, regs);
  }
}

function fill<Name extends string>(layout: Layout<Name>, bytes: Uint8Array, values: Partial<Record<Name, number>>): void {
  const view = new DataView(bytes.buffer);
  for (const name in values) put(view, layout.fields[name].offset, layout.fields[name].type, values[name] as number);
}

type SregsField = keyof typeof kvm_sregs.fields;

/** Paging with all that a user's program may need: SSE, AVX, FSGSBASE; alignment checks when a program asks for them. */
function longMode(): Partial<Record<SregsField, number>> {
  const data = { base: 0, limit: 0xffffffff, selector: at.userData, type: 3, present: 1, dpl: 3, db: 1, s: 1, l: 0, g: 1, avl: 0, unusable: 0 };
  const segments = {
    cs: { ...data, selector: at.userCode, type: 11, db: 0, l: 1 },
    ds: data, es: data, fs: data, gs: data, ss: data,
    tr: { ...data, base: at.tss, limit: 0x67, selector: at.tssSelector, type: 11, dpl: 0, db: 0, s: 0, g: 0 },
    ldt: { ...data, selector: 0, unusable: 1, present: 0 },
  };
  const flat = Object.entries(segments).flatMap(([name, parts]) => Object.entries(parts).map(([part, value]) => [`${name}.${part}`, value]));
  return {
    ...(Object.fromEntries(flat) as Partial<Record<SregsField, number>>),
    'gdt.base': at.gdt, 'gdt.limit': 0x4f, 'idt.base': at.idt, 'idt.limit': 0x1ff,
    // PE MP ET NE WP AM PG; PAE OSFXSR OSXMMEXCPT FSGSBASE OSXSAVE; SCE LME LMA NXE.
    cr0: 0x80050033, cr3: at.pml4, cr4: 0x50620, efer: 0xd01,
  };
}
