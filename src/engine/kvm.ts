import fs from 'node:fs';
import {
  KVM_CAP_TSC_DEADLINE_TIMER, KVM_CAP_X86_USER_SPACE_MSR, KVM_GET_TSC_KHZ, KVM_MSR_EXIT_REASON_INVAL, KVM_MSR_EXIT_REASON_UNKNOWN,
  KVM_SET_IDENTITY_MAP_ADDR, KVM_SET_TSS_ADDR,
} from '../abi/kvm.ts';
import { DelosError } from '../lib/errors.ts';
import type { Engine, EngineOptions, Processors } from './engine.ts';
import { Alarm } from './kvm/alarm.ts';
import { Controllers, type ControllerState } from './kvm/controllers.ts';
import { KvmCpu } from './kvm/cpu.ts';
import { cpuidFor, everything, setCpuid, supportedCpuid, withCounter, withDeadlineTimer } from './kvm/cpuid.ts';
import { acceptKicks } from './kvm/kick.ts';
import { statistic } from './kvm/stats.ts';
import { kvmCall, type Vcpu } from './kvm/vcpu.ts';
import { openKvm, Vm } from './kvm/vm.ts';

/** Intel's processors need four pages of the guest's address space in real mode; below the firmware, where no memory is. */
const identityMap = 0xfeffc000;
const taskState = 0xfeffd000;

/** Processors of the Linux kernel's: as fast as the machine, where that lets guests have them. */
export const kvm: Engine = { name: 'kvm', available, open: (options) => new KvmProcessors(options) };

/** The same with KVM's own interrupt controllers and 8254: fewer exits, but what they hold is in the kernel. */
export const kvmWithControllers: Engine = { ...kvm, controllers: true };

function available(): true | string {
  try {
    fs.closeSync(openKvm());
    return true;
  } catch (error) {
    if (error instanceof DelosError) return error.message;
    throw error;
  }
}

export class KvmProcessors implements Processors {
  readonly timed = true;
  readonly cpus: readonly KvmCpu[];
  cpuid: EngineOptions['cpuid'] = () => [0, 0, 0, 0];
  readonly #vm = new Vm();
  readonly #alarm: Alarm;
  /** Slot numbers by region. */
  readonly #slots: readonly number[];
  readonly #vcpus: Vcpu[] = [];
  readonly #controllers: Controllers | undefined;

  /** @throws DelosError */
  constructor({ memory, bus, interrupts, local, cpus, cpuid }: EngineOptions) {
    const made: { close(): void }[] = [this.#vm];
    try {
      this.#prepare();
      if (interrupts === undefined) this.#controllers = new Controllers(this.#vm.fd);
      else this.#tellUnknownMsrs();
      this.#slots = memory.regions.map(({ guestAddress, size, readOnly }) => {
        return this.#vm.addSlot({ guestAddress, bytes: memory.bytes(guestAddress, size), readOnly, logDirtyPages: false });
      });
      this.#alarm = new Alarm();
      made.push(this.#alarm);
      const supported = this.#supported();
      this.cpus = Array.from({ length: cpus }, (_, number) => {
        const vcpu = this.#vm.addVcpu(number);
        this.#vcpus.push(vcpu);
        const kilohertz = kvmCall('KVM_GET_TSC_KHZ', vcpu.fd, KVM_GET_TSC_KHZ);
        const seen = cpuidFor(withCounter(cpuid, kilohertz), supported, number);
        if (number === 0) this.cpuid = everything(seen);
        setCpuid(vcpu, seen);
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
    this.#ownControllers().set(line, up);
  }

  /** All that KVM's controllers hold, for {@link restoreControllers} of a machine like this one. */
  saveControllers(): ControllerState {
    return this.#ownControllers().save(this.#vcpus);
  }

  /** @throws DelosError when KVM does not take it */
  restoreControllers(state: ControllerState): void {
    this.#ownControllers().restore(state, this.#vcpus);
  }

  /** Instructions that KVM has interpreted instead of letting the processor run them; undefined when it does not tell. */
  get interpreted(): number | undefined {
    return statistic(this.#vcpus[0] as Vcpu, 'insn_emulation');
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
  }

  /** For a local APIC of ours. */
  #tellUnknownMsrs(): void {
    const unknown = KVM_MSR_EXIT_REASON_INVAL | KVM_MSR_EXIT_REASON_UNKNOWN;
    if (this.#vm.extension(KVM_CAP_X86_USER_SPACE_MSR) !== 0) this.#vm.enable(KVM_CAP_X86_USER_SPACE_MSR, unknown);
  }

  #supported(): ReturnType<typeof supportedCpuid> {
    const supported = supportedCpuid(this.#vm.system);
    const timer = this.#controllers !== undefined && this.#vm.extension(KVM_CAP_TSC_DEADLINE_TIMER) !== 0;
    return timer ? withDeadlineTimer(supported) : supported;
  }

  #ownControllers(): Controllers {
    if (this.#controllers === undefined) throw new Error('assertion: the interrupt controllers are not KVM\'s');
    return this.#controllers;
  }
}
