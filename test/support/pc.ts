/** A PC without processors, whose time a test moves and whose outputs it reads. */

import { cmosOf } from '../../src/device/cmos.ts';
import type { AccessSize } from '../../src/device/device.ts';
import { createPc, type Pc, type PcOptions } from '../../src/machine/pc.ts';

export interface TestPc {
  readonly pc: Pc;
  /** What its devices have said: bytes of serial ports, signals to processors, events; in order. */
  readonly log: string[];
  /** Time goes by, in nanoseconds, and what has expired is called. */
  pass(nanoseconds: number): void;
  in(port: number, size?: AccessSize): number;
  out(port: number, value: number, size?: AccessSize): void;
}

/** Two processors, 256 MiB as CMOS has it, COM1 and COM2; Thursday, the 1st of January 2026. */
export function testPc(options: Partial<PcOptions> = {}): TestPc {
  let now = 5;
  const log: string[] = [];
  const told = (what: string) => (value?: number | boolean): void => void log.push(`${what}${value ?? ''}`);
  const ram = new Uint8Array(0x10000);
  const pc = createPc({
    memory: { bytes: (address, length) => ram.subarray(address, address + length) },
    cpus: 2,
    nanoseconds: () => now,
    wallClock: Date.UTC(2026, 0, 1),
    serial: [told('com1 '), told('com2 ')],
    debugConsole: told('debug '),
    signals: { nmi: told('nmi'), smi: told('smi'), init: told('init'), startUp: told('start'), wake: () => undefined },
    events: { powerOff: told('off'), reset: told('reset'), debugExit: told('exit '), a20: told('a20 ') },
    cmos: cmosOf({ below4G: 256 * 2 ** 20, cpus: 2 }),
    ...options,
  });
  const pass = (nanoseconds: number): void => {
    const end = now + nanoseconds;
    const ahead = now - pc.clock.now();
    for (let next = pc.clock.next() + ahead; next <= end; next = pc.clock.next() + ahead) {
      now = Math.max(now, next);
      pc.clock.run();
    }
    now = end;
  };
  return { pc, log, pass, in: (port, size = 1) => pc.bus.ports.read(port, size), out: (port, value, size = 1) => pc.bus.ports.write(port, size, value) };
}

/** Both 8259s as Linux and SeaBIOS initialise them: vectors 8-15 and 112-119, all unmasked. */
export function initialisePics({ out }: TestPc): void {
  for (const [port, words] of [[0x20, [0x08, 0x04, 0x01, 0]], [0xa0, [0x70, 0x02, 0x01, 0]]] as const) {
    out(port, 0x11);
    for (const word of words) out(port + 1, word);
  }
}
