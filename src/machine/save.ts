/** A machine to its state and back, but for its memory. It is at rest meanwhile: between two instructions, its clock as it likes. */

import { cpuState } from '../cpu/state.ts';
import type { LocalApic } from '../device/apic.ts';
import type { Cpu } from '../engine/engine.ts';
import type { GuestMemory } from '../engine/memory.ts';
import { DelosError } from '../lib/errors.ts';
import { put } from '../lib/layout.ts';
import { cpuidTable } from './cpuid-table.ts';
import type { Pc } from './pc.ts';
import type { MachineState, ProcessorState } from './state.ts';
import type { Cpuid } from './stealth.ts';

export interface MachineParts {
  readonly memory: GuestMemory;
  readonly pc: Pc;
  readonly cpus: readonly Cpu[];
  /** What the guest sees. */
  readonly cpuid: Cpuid;
  /** The time-stamp counters are the PC's, not the processors' own. */
  readonly softwareCounter: boolean;
}

export function saveState(parts: MachineParts): MachineState {
  const { memory, pc, cpus, cpuid } = parts;
  return {
    regions: memory.regions.map(({ guestAddress, size, readOnly }) => ({ guestAddress, size, readOnly })),
    cpus: cpus.map((cpu, at) => saveProcessor(parts, cpu, pc.apics.apics[at] as LocalApic)),
    cpuid: cpuidTable(cpuid),
    devices: new Map(pc.stateful.map(({ name, state }) => [name, state.slice()])),
    firmware: new Map([...pc.fwCfg.items].map(([key, bytes]) => [key, bytes.slice()])),
    input: pc.serial.map(({ input }) => input.waiting),
  };
}

/** What is the local APIC's is said in the registers too: another engine may have them there. */
function saveProcessor({ pc, softwareCounter }: MachineParts, cpu: Cpu, apic: LocalApic): ProcessorState {
  const registers = new Uint8Array(cpu.state.buffer, cpu.state.byteOffset, cpuState.size).slice();
  const view = new DataView(registers.buffer);
  const set = (name: keyof typeof cpuState.fields, value: number | bigint): void => put(view, cpuState.fields[name].offset, 'u64', value);
  const [low, high] = apic.deadline;
  set('apicBase', apic.base);
  set('cr8', apic.taskPriority);
  set('tscDeadline', (BigInt(high) << 32n) | BigInt(low));
  if (softwareCounter) set('tsc', pc.tsc.read());
  return { registers, otherMsrs: new Map(cpu.otherMsrs()) };
}

/**
 * Overwrites everything in a machine that has just been made as `state` says.
 * @throws DelosError `bad-snapshot` when it is another machine's state
 */
export function restoreState(parts: MachineParts, state: MachineState): void {
  const { pc, cpus } = parts;
  if (state.cpus.length !== cpus.length) throw bad(`has ${state.cpus.length} processors, and this machine ${cpus.length}`);
  restoreDevices(pc, state.devices);
  pc.serial.forEach(({ input }, at) => input.send(state.input[at] ?? new Uint8Array()));
  cpus.forEach((cpu, at) => restoreProcessor(parts, cpu, state.cpus[at] as ProcessorState));
}

/** All states first: a device that raises its line again finds the controllers as they were. */
function restoreDevices({ stateful }: Pc, devices: MachineState['devices']): void {
  const known = new Set(stateful.map(({ name }) => name));
  for (const name of devices.keys()) if (!known.has(name)) throw bad(`has a device ${JSON.stringify(name)}, which is not known`);
  const saved = stateful.map((device) => {
    const bytes = devices.get(device.name);
    if (bytes === undefined) throw bad(`has no device ${device.name}`);
    const { state } = device;
    if (bytes.length !== state.length) throw bad(`has ${bytes.length} bytes of the device ${device.name}, not ${state.length}`);
    return { state, bytes };
  });
  for (const { state, bytes } of saved) state.set(bytes);
  for (const device of stateful) device.restored();
}

function restoreProcessor({ pc, softwareCounter }: MachineParts, cpu: Cpu, { registers, otherMsrs }: ProcessorState): void {
  if (registers.length !== cpuState.size) throw bad(`has ${registers.length} bytes of a processor, not ${cpuState.size}`);
  new Uint8Array(cpu.state.buffer, cpu.state.byteOffset, cpuState.size).set(registers);
  cpu.setOtherMsrs(otherMsrs);
  if (softwareCounter) pc.tsc.goOnFrom(Number(cpu.state.getBigUint64(cpuState.fields.tsc.offset, true)));
}

function bad(what: string): DelosError {
  return new DelosError('bad-snapshot', `the snapshot ${what}`);
}
