/** A PC's devices, each at its place, with their lines: the catalogue. The processors and the loop that runs them are not here. */

import { AcpiPm, PM_LENGTH } from '../device/acpi-pm.ts';
import type { ProcessorSignals } from '../device/apic-message.ts';
import { APIC_ADDRESS } from '../device/apic-registers.ts';
import type { TimeStampCounter } from '../device/apic-timer.ts';
import { LocalApics } from '../device/apics.ts';
import { createBus, type Bus } from '../device/bus.ts';
import { VirtualClock } from '../device/clock.ts';
import { DEBUG_CONSOLE_PORT, DEBUG_EXIT_PORT, debugConsole, debugExit, POST_PORT, PostPort } from '../device/debug-ports.ts';
import type { Device, DirectMemory, Line, Stateful } from '../device/device.ts';
import { FW_CFG_LENGTH, FW_CFG_PORT, FwCfg, type FwCfgFiles, type FwCfgItems } from '../device/fw-cfg.ts';
import { I8042 } from '../device/i8042.ts';
import { IOAPIC_ADDRESS, IoApic } from '../device/ioapic.ts';
import { engineLines, isaLines, shareLine, type InterruptInputs } from '../device/lines.ts';
import { PicPair } from '../device/pic.ts';
import { Pit } from '../device/pit.ts';
import { COM, KEYBOARD_CONTROL, KEYBOARD_DATA, KEYBOARD_IRQ, PM_PORT, RTC_IRQ, RTC_PORT, SCI_IRQ } from '../device/places.ts';
import { Port61 } from '../device/port61.ts';
import { Port92 } from '../device/port92.ts';
import { RESET_BLOCK, ResetPort } from '../device/reset-port.ts';
import { Rtc } from '../device/rtc.ts';
import { SerialInput } from '../device/serial-input.ts';
import { TimeStamps } from '../device/time-stamps.ts';
import { Uart } from '../device/uart.ts';
import type { InterruptSource } from '../engine/engine.ts';

/** What a machine is told by its devices. It is called in the middle of an instruction of the guest. */
export interface PcEvents {
  /** The system has gone to sleep state S5. */
  powerOff(): void;
  /** The system wants to begin anew: by the keyboard controller, port 92h or port CF9h. */
  reset(): void;
  /** A test has ended itself through port F4h. @param status 1 to 255, odd */
  debugExit(status: number): void;
  /** Address line 20 is let through, or held at 0. */
  a20?(open: boolean): void;
}

export interface EngineControllers {
  /** IRQ 0 to 15, as global system interrupts. */
  readonly lines: InterruptInputs;
  /** Whether it has the 8254 too. */
  readonly pit: boolean;
}

export interface PcOptions {
  /** Where fw_cfg writes. */
  readonly memory: DirectMemory;
  readonly cpus: number;
  /** Nanoseconds since anything, never less than before: real time, or instructions that were run. */
  readonly nanoseconds: () => number;
  /** Milliseconds since 1970 when the machine is made, for its clock chip. */
  readonly wallClock: number;
  /** Takes what the guest sends, a byte at a time: one for each of COM1 to COM4 that is there. */
  readonly serial: readonly ((byte: number) => void)[];
  /** Takes what firmware prints to port 402h. */
  readonly debugConsole?: (byte: number) => void;
  readonly signals: ProcessorSignals;
  readonly events: PcEvents;
  /** Where interrupt controllers of the engine's own take the lines (KVM's in the kernel): ours are not on the bus then. */
  readonly engineControllers?: EngineControllers;
  /** Bytes of CMOS memory by index ({@link import('../device/cmos.ts').cmosOf}). */
  readonly cmos?: Readonly<Record<number, number>>;
  /** What firmware can ask for. */
  readonly firmware?: { readonly items?: FwCfgItems; readonly files?: FwCfgFiles };
}

export interface SerialPort {
  readonly uart: Uart;
  /** Sends to the guest, as fast as it reads. */
  readonly input: SerialInput;
}

export interface Pc {
  readonly bus: Bus;
  readonly clock: VirtualClock;
  /** For the engine, unless it has its own. */
  readonly interrupts: InterruptSource;
  readonly apics: LocalApics;
  readonly ioapic: IoApic;
  readonly pic: PicPair;
  readonly serial: readonly SerialPort[];
  readonly keyboard: I8042;
  readonly pm: AcpiPm;
  readonly fwCfg: FwCfg;
  /** The processors' time-stamp counters, for an engine whose processors have none by themselves. */
  readonly tsc: TimeStamps;
  /** A new end of an ISA IRQ's line, for a device that is added. */
  readonly irq: (irq: number) => Line;
  /** All that a snapshot holds, in the order in which it is restored. Names are unique. */
  readonly stateful: readonly Stateful[];
}

/** Interrupt controllers, whose lines go to one another. */
interface Controllers {
  readonly pic: PicPair;
  readonly ioapic: IoApic;
  readonly apics: LocalApics;
}

function createControllers(options: PcOptions, clock: VirtualClock, tsc: TimeStampCounter): Controllers {
  const pic: PicPair = new PicPair((up) => apics.setExternal(up));
  const apics: LocalApics = new LocalApics({
    cpus: options.cpus,
    clock,
    tsc,
    signals: options.signals,
    acknowledgeExternal: () => pic.acknowledge(),
    ended: (vector) => ioapic.endOfInterrupt(vector),
  });
  const ioapic = new IoApic(apics);
  return { pic, ioapic, apics };
}

function attachControllers({ ports, memory }: Bus, { pic, ioapic, apics }: Controllers): void {
  ports.attach(0x20, 2, pic.master);
  ports.attach(0xa0, 2, pic.slave);
  ports.attach(0x4d0, 2, pic.elcr);
  memory.attach(IOAPIC_ADDRESS, 0x1000, ioapic);
  memory.attach(APIC_ADDRESS, 0x1000, apics);
}

function createSerialPort(clock: VirtualClock, irq: Line, output: (byte: number) => void): SerialPort {
  const uart: Uart = new Uart({ clock, irq, output, room: () => input.feed() });
  const input = new SerialInput(() => uart);
  return { uart, input };
}

function com(at: number): (typeof COM)[number] {
  return COM[at] as (typeof COM)[number];
}

/** A state under a name of its own, where several devices are of a kind. */
function named(name: string, device: Stateful): Stateful {
  return { name, state: device.state, restored: () => device.restored() };
}

/**
 * All devices of a PC but PCI's.
 * @throws RangeError for more than four serial ports
 */
export function createPc(options: PcOptions): Pc {
  if (options.serial.length > COM.length) throw new RangeError(`a PC has ${COM.length} serial ports, not ${options.serial.length}`);
  const { events } = options;
  const clock = new VirtualClock(options.nanoseconds);
  const tsc = new TimeStamps(clock);
  const controllers = createControllers(options, clock, tsc);
  const { pic, ioapic, apics } = controllers;
  const engine = options.engineControllers;
  const irq = engine === undefined ? isaLines(pic, ioapic) : engineLines(engine.lines);
  const reset = (): void => events.reset();
  const a20 = shareLine((up) => events.a20?.(up));

  const pit = new Pit(clock, engine?.pit === true ? () => undefined : irq(0));
  const port61 = new Port61(clock, pit);
  const rtc = new Rtc({ clock, irq: irq(RTC_IRQ), wallClock: options.wallClock, ...(options.cmos !== undefined && { cmos: options.cmos }) });
  const keyboard = new I8042({ irq: irq(KEYBOARD_IRQ), reset, a20: a20() });
  const port92 = new Port92(a20(), reset);
  const resetPort = new ResetPort(reset);
  const pm = new AcpiPm({ clock, sci: irq(SCI_IRQ), powerOff: () => events.powerOff() });
  const fwCfg = new FwCfg(options.memory, options.firmware?.items, options.firmware?.files);
  const post = new PostPort();
  const serial = options.serial.map((output, at) => createSerialPort(clock, irq(com(at).irq), output));

  const ports: readonly (readonly [port: number, length: number, device: Device])[] = [
    [0x40, 4, pit], [0x61, 1, port61], [RTC_PORT, 2, rtc],
    [KEYBOARD_DATA, 1, keyboard.data], [KEYBOARD_CONTROL, 1, keyboard.control], [0x92, 1, port92],
    [POST_PORT, 1, post], [DEBUG_EXIT_PORT, 4, debugExit((status) => events.debugExit(status))],
    [DEBUG_CONSOLE_PORT, 1, debugConsole(options.debugConsole ?? (() => undefined))],
    [FW_CFG_PORT, FW_CFG_LENGTH, fwCfg], [PM_PORT, PM_LENGTH, pm], [RESET_BLOCK, 4, resetPort],
    ...serial.map(({ uart }, at) => [com(at).port, 8, uart] as const),
  ];
  const bus = createBus();
  for (const place of ports) bus.ports.attach(...place);
  if (engine === undefined) attachControllers(bus, controllers);

  const stateful = [
    clock, pic, ioapic, ...apics.apics, pit, port61, rtc, keyboard, port92, resetPort, pm, fwCfg, post,
    ...serial.map(({ uart }, at) => named(`com${at + 1}`, uart)),
  ];
  return { bus, clock, interrupts: apics, apics, ioapic, pic, serial, keyboard, pm, fwCfg, tsc, irq, stateful };
}
