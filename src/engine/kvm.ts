import fs from 'node:fs';
import {
  KVM_CAP_X86_USER_SPACE_MSR, KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2, KVM_IRQ_LINE, KVM_MSR_EXIT_REASON_INVAL, KVM_MSR_EXIT_REASON_UNKNOWN,
  KVM_PIT_SPEAKER_DUMMY, KVM_SET_IDENTITY_MAP_ADDR, KVM_SET_TSS_ADDR, kvm_irq_level, kvm_pit_config,
} from '../abi/kvm.ts';
import { DelosError } from '../lib/errors.ts';
import type { Engine, EngineOptions, Processors } from './engine.ts';
import { Alarm } from './kvm/alarm.ts';
import { KvmCpu } from './kvm/cpu.ts';
import { cpuidFor, everything, setCpuid, supportedCpuid } from './kvm/cpuid.ts';
import { acceptKicks } from './kvm/kick.ts';
import { kvmCall } from './kvm/vcpu.ts';
import { openKvm, Vm } from './kvm/vm.ts';

/** Intel's processors need four pages of the guest's address space in real mode; below the firmware, where no memory is. */
const identityMap = 0xfeffc000;
const taskState = 0xfeffd000;

/** Processors of the Linux kernel's: as fast as the machine, where that lets guests have them. */
export const kvm: Engine = {
  name: 'kvm',
  available() {
    try {
      fs.closeSync(openKvm());
      return true;
    } catch (error) {
      if (error instanceof DelosError) return error.message;
      throw error;
    }
  },
  open: (options) => new KvmProcessors(options),
};

export class KvmProcessors implements Processors {
  readonly cpus: readonly KvmCpu[];
  readonly cpuid: EngineOptions['cpuid'];
  readonly #vm = new Vm();
  readonly #alarm: Alarm;
  /** Slot numbers by region. */
  readonly #slots: readonly number[];
  readonly #kernelInterrupts: boolean;

  /** @throws DelosError */
  constructor({ memory, bus, interrupts, local, cpus, cpuid }: EngineOptions) {
    const made: { close(): void }[] = [this.#vm];
    try {
      this.#kernelInterrupts = interrupts === undefined;
      this.#prepare();
      this.#slots = memory.regions.map(({ guestAddress, size, readOnly }) => {
        return this.#vm.addSlot({ guestAddress, bytes: memory.bytes(guestAddress, size), readOnly, logDirtyPages: false });
      });
      this.#alarm = new Alarm();
      made.push(this.#alarm);
      const supported = supportedCpuid(this.#vm.system);
      this.cpuid = everything(cpuidFor(cpuid, supported, 0));
      this.cpus = Array.from({ length: cpus }, (_, number) => {
        const vcpu = this.#vm.addVcpu(number);
        setCpuid(vcpu, cpuidFor(cpuid, supported, number));
        acceptKicks(vcpu);
        return new KvmCpu(number, vcpu, interrupts === undefined ? { bus, interrupts } : { bus, interrupts, ...(local && { local }) }, this.#alarm);
      });
    } catch (error) {
      for (const one of made.toReversed()) one.close();
      throw error;
    }
  }

  /** A line of KVM's interrupt controllers; nothing when they are ours. */
  interrupt(line: number, up: boolean): void {
    if (!this.#kernelInterrupts) throw new Error('assertion: the interrupt controllers are not KVM\'s');
    const level = new Uint32Array(kvm_irq_level.size / 4);
    level[kvm_irq_level.fields.irq.offset / 4] = line;
    level[kvm_irq_level.fields.level.offset / 4] = up ? 1 : 0;
    kvmCall('KVM_IRQ_LINE', this.#vm.fd, KVM_IRQ_LINE, level);
  }

  /** From now on KVM remembers which pages of the writable regions are written to; or no more. */
  logDirtyPages(on: boolean): void {
    for (const slot of this.#slots) this.#vm.logDirtyPages(slot, on);
  }

  /** Pages of a region, by number from its first, that have been written to since {@link logDirtyPages} or since this was asked. */
  dirtyPages(region: number): Generator<number> {
    return this.#vm.dirtyPages(this.#slots[region] as number);
  }

  close(): void {
    this.#alarm.close();
    this.#vm.close();
  }

  #prepare(): void {
    const { fd } = this.#vm;
    kvmCall('KVM_SET_IDENTITY_MAP_ADDR', fd, KVM_SET_IDENTITY_MAP_ADDR, BigUint64Array.of(BigInt(identityMap)));
    kvmCall('KVM_SET_TSS_ADDR', fd, KVM_SET_TSS_ADDR, taskState);
    if (!this.#kernelInterrupts) {
      const unknown = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN;
      if (this.#vm.extension(KVM_CAP_X86_USER_SPACE_MSR) !== 0) this.#vm.enable(KVM_CAP_X86_USER_SPACE_MSR, unknown);
      return;
    }
    kvmCall('KVM_CREATE_IRQCHIP', fd, KVM_CREATE_IRQCHIP);
    const pit = new Uint32Array(kvm_pit_config.size / 4);
    pit[kvm_pit_config.fields.flags.offset / 4] = KVM_PIT_SPEAKER_DUMMY;
    kvmCall('KVM_CREATE_PIT2', fd, KVM_CREATE_PIT2, pit);
  }
}
