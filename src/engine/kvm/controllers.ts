/** The interrupt controllers and the 8254 that KVM has itself: made, their lines, and all they hold. Documentation/virt/kvm/api.rst. */
import {
  KVM_CREATE_IRQCHIP, KVM_CREATE_PIT2, KVM_GET_IRQCHIP, KVM_GET_LAPIC, KVM_GET_PIT2, KVM_IRQCHIP_IOAPIC, KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE,
  KVM_IRQ_LINE, KVM_IRQ_ROUTING_IRQCHIP, KVM_PIT_SPEAKER_DUMMY, KVM_SET_GSI_ROUTING, KVM_SET_IRQCHIP, KVM_SET_LAPIC, KVM_SET_PIT2, kvm_irq_level,
  kvm_irq_routing, kvm_irq_routing_entry, kvm_irqchip, kvm_lapic_state, kvm_pit_config, kvm_pit_state2,
} from '../../abi/kvm.ts';
import { TIMER_PIN } from '../../device/lines.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

const chips = [KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC] as const;
const CASCADE = 2;
const ISA_LINES = 16;
const IOAPIC_PINS = 24;

/** Bytes as KVM gives them, which only KVM reads: of both 8259, the IOAPIC, the 8254, and each processor's local APIC. */
export interface ControllerState {
  readonly chips: readonly Uint8Array[];
  readonly pit: Uint8Array;
  readonly local: readonly Uint8Array[];
}

/** KVM's own controllers of one machine. */
export class Controllers {
  readonly #vm: number;
  readonly #level = new Uint32Array(kvm_irq_level.size / 4);

  /**
   * Makes them; before the first processor.
   * @param vm its descriptor
   * @throws DelosError
   */
  constructor(vm: number) {
    this.#vm = vm;
    kvmCall('KVM_CREATE_IRQCHIP', vm, KVM_CREATE_IRQCHIP);
    kvmCall('KVM_SET_GSI_ROUTING', vm, KVM_SET_GSI_ROUTING, routing());
    const pit = new Uint32Array(kvm_pit_config.size / 4);
    pit[kvm_pit_config.fields.flags.offset / 4] = KVM_PIT_SPEAKER_DUMMY;
    kvmCall('KVM_CREATE_PIT2', vm, KVM_CREATE_PIT2, pit);
  }

  /** A line by its global system interrupt. */
  set(line: number, up: boolean): void {
    this.#level[kvm_irq_level.fields.irq.offset / 4] = line;
    this.#level[kvm_irq_level.fields.level.offset / 4] = up ? 1 : 0;
    kvmCall('KVM_IRQ_LINE', this.#vm, KVM_IRQ_LINE, this.#level);
  }

  save(vcpus: readonly Vcpu[]): ControllerState {
    const pit = new Uint8Array(kvm_pit_state2.size);
    kvmCall('KVM_GET_PIT2', this.#vm, KVM_GET_PIT2, pit);
    return {
      pit,
      chips: chips.map((id) => {
        const chip = new Uint8Array(kvm_irqchip.size);
        chip[kvm_irqchip.fields.chip_id.offset] = id;
        kvmCall('KVM_GET_IRQCHIP', this.#vm, KVM_GET_IRQCHIP, chip);
        return chip;
      }),
      local: vcpus.map(({ fd }) => {
        const apic = new Uint8Array(kvm_lapic_state.size);
        kvmCall('KVM_GET_LAPIC', fd, KVM_GET_LAPIC, apic);
        return apic;
      }),
    };
  }

  /** @throws DelosError when KVM does not take it */
  restore({ chips: saved, pit, local }: ControllerState, vcpus: readonly Vcpu[]): void {
    for (const chip of saved) kvmCall('KVM_SET_IRQCHIP', this.#vm, KVM_SET_IRQCHIP, chip);
    kvmCall('KVM_SET_PIT2', this.#vm, KVM_SET_PIT2, pit);
    for (const [number, apic] of local.entries()) {
      const vcpu = vcpus[number];
      if (vcpu !== undefined) kvmCall('KVM_SET_LAPIC', vcpu.fd, KVM_SET_LAPIC, apic);
    }
  }
}

/** Lines as a PC has them: 0 to 15 at both kinds, the timer's at pin 2 of the IOAPIC; 16 to 23 at the IOAPIC alone. KVM's default has pin 0. */
function routing(): Uint8Array {
  const pic = Array.from({ length: ISA_LINES }, (_, line) => [line, line < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE, line % 8] as const);
  const ioapic = Array.from({ length: IOAPIC_PINS }, (_, line) => [line, KVM_IRQCHIP_IOAPIC, line === 0 ? TIMER_PIN : line] as const);
  const entries = [...pic, ...ioapic].filter(([line]) => line !== CASCADE);
  const bytes = new Uint8Array(kvm_irq_routing.size + entries.length * kvm_irq_routing_entry.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(kvm_irq_routing.fields.nr.offset, entries.length, true);
  const { gsi, type, 'u.irqchip.irqchip': chip, 'u.irqchip.pin': pin } = kvm_irq_routing_entry.fields;
  for (const [number, [line, id, at]] of entries.entries()) {
    const start = kvm_irq_routing.size + number * kvm_irq_routing_entry.size;
    view.setUint32(start + gsi.offset, line, true);
    view.setUint32(start + type.offset, KVM_IRQ_ROUTING_IRQCHIP, true);
    view.setUint32(start + chip.offset, id, true);
    view.setUint32(start + pin.offset, at, true);
  }
  return bytes;
}
