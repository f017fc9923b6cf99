/** What an exit from KVM costs, beside a C program that does the same. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { KVM_CREATE_VCPU, KVM_EXIT_SHUTDOWN, KVM_EXIT_IO, KVM_EXIT_IO_OUT, KVM_GET_VCPU_MMAP_SIZE, kvm_run_io } from '../../src/abi/kvm.ts';
import { createBus } from '../../src/device/bus.ts';
import { Alarm } from '../../src/engine/kvm/alarm.ts';
import { KvmCpu } from '../../src/engine/kvm/cpu.ts';
import { kvmCall, Vcpu } from '../../src/engine/kvm/vcpu.ts';
import { Vm } from '../../src/engine/kvm/vm.ts';
import { put } from '../../src/lib/layout.ts';
import { boundIoctl } from '../../src/sys/syscall.ts';
import { quiet, TestGuest } from '../../test/support/guest.ts';

/** Nanoseconds for each exit, the least of all rounds. */
export interface ExitRow {
  readonly name: string;
  readonly c: number;
  readonly delos: number;
  /** The most that may be between them; only where a guest's own time is not in it. */
  readonly target?: number;
}

/** asm/ioctls.h: gives 0 as KVM_RUN does, and next to nothing is done for it. */
const FIOCLEX = 0x5451;
const guestExits = 20_000;
/** In a burst, which is short enough to be alone on its processor sometimes. */
const isolatedExits = 5_000;
const bursts = 200;
const port = 0x3f8;

/** @param rounds of each, in turns */
export function measureExits(rounds: number): ExitRow[] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-exits-'));
  try {
    const program = path.join(folder, 'exits');
    execFileSync('cc', ['-O2', '-o', program, path.join(import.meta.dirname, 'exits.c')]);
    const inC = (kind: string, count: number): number => Number(execFileSync(program, [kind, String(count)], { encoding: 'utf8' }));
    const guest = least(rounds, () => inC('guest', guestExits), ofGuest);
    const isolated = least(rounds, () => inC('isolated', isolatedExits), ofOurCode);
    return [
      { name: 'OUT of a guest in real mode', c: guest[0], delos: guest[1] },
      { name: 'the monitor\'s own part (the cheapest ioctl instead of KVM_RUN)', c: isolated[0], delos: isolated[1], target: 100 },
    ];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

function least(rounds: number, one: () => number, other: () => number): readonly [number, number] {
  const times = Array.from({ length: rounds }, () => [one(), other()] as const);
  return [Math.min(...times.map(([time]) => time)), Math.min(...times.map(([, time]) => time))];
}

/** Time of this thread alone, as other programs run beside. */
function perExit(count: number, run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return ((user + system) * 1000) / count;
}

function ofGuest(): number {
  const code = Uint8Array.of(0x66, 0xb9, 0, 0, 0, 0, 0xba, 0xf8, 3, 0xee, 0x66, 0x49, 0x75, 0xfb, 0xf4);
  new DataView(code.buffer).setUint32(2, guestExits, true);
  using guest = new TestGuest(code);
  return perExit(guestExits, () => guest.run());
}

/** A processor whose every run ends at once with the exit that lies in its kvm_run. */
class IdleVcpu extends Vcpu {
  readonly #ask: () => number | undefined;

  constructor(vm: Vm) {
    super(kvmCall('KVM_CREATE_VCPU', vm.fd, KVM_CREATE_VCPU, 0), kvmCall('KVM_GET_VCPU_MMAP_SIZE', vm.system, KVM_GET_VCPU_MMAP_SIZE));
    this.#ask = boundIoctl(vm.system, FIOCLEX);
  }

  override enter(): number {
    return this.#ask() ?? 0;
  }
}

function ofOurCode(): number {
  const vm = new Vm();
  const vcpu = new IdleVcpu(vm);
  const alarm = new Alarm();
  try {
    const bus = createBus();
    let left = 0;
    bus.ports.attach(port, 8, { name: 'counter', read: () => 0, write: () => void (--left === 0 && exit('exit_reason', KVM_EXIT_SHUTDOWN)) });
    const exit = (name: keyof typeof kvm_run_io.fields, value: number): void => {
      put(vcpu.view, kvm_run_io.fields[name].offset, kvm_run_io.fields[name].type, value);
    };
    const fields = { exit_reason: KVM_EXIT_IO, 'io.direction': KVM_EXIT_IO_OUT, 'io.size': 1, 'io.port': port, 'io.count': 1, 'io.data_offset': 4096 } as const;
    for (const [name, value] of Object.entries(fields) as [keyof typeof fields, number][]) exit(name, value);
    const cpu = new KvmCpu(0, vcpu, { bus, interrupts: quiet }, alarm);
    const times = Array.from({ length: bursts }, () => {
      left = isolatedExits;
      exit('exit_reason', KVM_EXIT_IO);
      const before = process.hrtime.bigint();
      cpu.run();
      return Number(process.hrtime.bigint() - before) / isolatedExits;
    });
    return Math.min(...times);
  } finally {
    alarm.close();
    vcpu.close();
    vm.close();
  }
}
