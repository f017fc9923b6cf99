/**
 * The same accesses to our devices and to QEMU's, whose machine stands still (`-S`) and is driven through its qtest socket: every value that is
 * read has to be the same. Where the two differ on purpose the sequences keep away, and the comment at each says from what.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { generator, type Random } from '../../fuzz/support/generator.ts';
import { testPc } from '../support/pc.ts';
import { skipUnless } from '../support/skip.ts';

type Access =
  | { readonly kind: 'inb'; readonly at: number; readonly mask: number }
  | { readonly kind: 'outb' | 'writel'; readonly at: number; readonly value: number }
  | { readonly kind: 'readl'; readonly at: number; readonly mask: number };

/** @param mask the bits that are compared */
const read = (at: number, mask = 0xff): Access => ({ kind: 'inb', at, mask });
const write = (at: number, ...values: readonly number[]): Access[] => values.map((value) => ({ kind: 'outb', at, value }));

const hex = (value: number): string => `0x${value.toString(16)}`;

/** What QEMU reads, in order. Its last access ends it. */
function qemu(accesses: readonly Access[]): number[] {
  const lines = [...accesses, ...write(0xf4, 0)].map((one) => `${one.kind} ${hex(one.at)}${'value' in one ? ` ${hex(one.value)}` : ''}\n`);
  const { stdout } = spawnSync('qemu-system-x86_64', [
    '-machine', 'pc', '-accel', 'tcg', '-S', '-qtest', 'stdio', '-display', 'none', '-nodefaults', '-no-user-config', '-serial', 'null',
    '-rtc', 'base=2026-01-01,clock=vm', '-device', 'isa-debug-exit,iobase=0xf4',
  ], { input: lines.join(''), encoding: 'latin1', timeout: 30_000 });
  return stdout.split('\n').filter((line) => line.startsWith('OK')).map((line) => Number(line.slice(3)));
}

function ours(accesses: readonly Access[]): number[] {
  const { pc: { bus: { memory, ports } } } = testPc();
  return accesses.map((one) => {
    if (one.kind === 'inb') return ports.read(one.at, 1);
    if (one.kind === 'readl') return memory.read(one.at, 4);
    if (one.kind === 'outb') ports.write(one.at, 1, one.value);
    else memory.write(one.at, 4, one.value);
    return 0;
  });
}

/** Both get the beginning, then steps of a device. */
function compare(device: string, beginning: readonly Access[], step: (random: Random) => readonly Access[]): void {
  test(`${device}: as QEMU's`, { skip: skipUnless('qemu-system-x86_64') }, () => {
    for (let seed = 1; seed <= 3; seed++) {
      const random = generator(seed);
      const accesses = [...beginning, ...Array.from({ length: 150 }, () => step(random)).flat()];
      const [theirs, mine] = [qemu(accesses), ours(accesses)];
      assert.ok(theirs.length >= accesses.length, `QEMU answered ${theirs.length} of ${accesses.length}`);
      accesses.forEach((access, at) => {
        if (!('mask' in access)) return;
        const before = accesses.slice(Math.max(0, at - 12), at + 1).map((one) => `${one.kind} ${hex(one.at)}${'value' in one ? ` ${hex(one.value)}` : ''}`);
        assert.equal(hex((mine[at] ?? NaN) & access.mask), hex((theirs[at] ?? NaN) & access.mask), `seed ${seed}, access ${at}: ${before.join('; ')}`);
      });
    }
  });
}

/** The timer's line would be up at our start and not at QEMU's. */
const quiet = write(0x43, 0x30);
const initialised = [
  ...quiet, ...write(0x20, 0x11), ...write(0x21, 0x08, 0x04, 0x01, 0x00), ...write(0xa0, 0x11), ...write(0xa1, 0x70, 0x02, 0x01, 0x00),
];

compare('8259s', initialised, (random) => {
  const port = [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1][random(6)]!;
  return random(2) === 0 ? [read(port)] : write(port, random(256));
});

// QEMU loads a count at once, has odd counts in mode 3, and counts modes 1 and 5 before their trigger.
compare('8254', write(0x61, 1), (random) => {
  const [counter, mode, access] = [random(3), [0, 2, 3, 4][random(4)]!, 1 + random(3)];
  const count = (random(0x10000) & 0xfefe) || 2;
  const low = (access & 1) !== 0 ? write(0x40 + counter, count & 0xff) : [];
  const high = (access & 2) !== 0 ? write(0x40 + counter, count >> 8) : [];
  const latch = random(2) === 0 ? write(0x43, counter << 6) : [];
  return [...write(0x43, (counter << 6) | (access << 4) | (mode << 1)), ...low, ...high, ...latch, ...[1, 2, 3].map(() => read(0x40 + counter))];
});

compare('MC146818', [], (random) => {
  const index = random(14);
  const bcd = (value: number): number => (Math.floor(value / 10) << 4) | value % 10;
  const field = [random(60), random(60), random(60), random(60), random(24), random(24), 1 + random(7), 1 + random(28), 1 + random(12), random(100)].map(bcd)[index];
  if (random(3) > 0) return [...write(0x70, index), read(0x71)];
  if (index === 0x0a) return [...write(0x70, index), ...write(0x71, 0x20 | random(16))];
  if (index === 0x0b) return [...write(0x70, index), ...write(0x71, random(2) === 0 ? 0x82 : 0x02 | (random(8) << 4))];
  if (field === undefined) return [];
  return [...write(0x70, 0x0b), ...write(0x71, 0x82), ...write(0x70, index), ...write(0x71, field), ...write(0x70, 0x0b), ...write(0x71, 0x02)];
});

// QEMU's status always says that the last byte was a command (bit 3); its mouse is there.
compare('i8042', [...write(0x64, 0xaa), read(0x60), ...write(0x64, 0x60), ...write(0x60, 0x65)], (random) => {
  const answer = [...Array.from({ length: 4 }, () => [read(0x64, 0xf7), read(0x60)]).flat(), read(0x64, 0xf7)];
  const command = (...codes: readonly number[]): Access[] => [...write(0x64, codes[random(codes.length)]!), ...answer];
  switch (random(4)) {
    case 0: return [...write(0x64, 0x60), ...write(0x60, 0x24 | random(2) | (random(2) << 6)), ...answer];
    case 1: return [...write(0x64, 0xd2), ...write(0x60, random(256)), ...answer];
    case 2: return [...write(0x60, [0xff, 0xf2, 0xee, 0xf4, 0xf5, 0xf6][random(6)]!), ...answer];
    default: return command(0x20, 0xaa, 0xab, 0xad, 0xae, 0xa7);
  }
});

// In loopback, so that nothing leaves. Modem interrupts are off (QEMU has none there), and an empty receiver is not read.
compare('16550', [...write(0x3fb, 0x03), ...write(0x3fc, 0x18), ...write(0x3fa, 0x07)], (random) => {
  switch (random(8)) {
    case 0: return write(0x3f9, random(8));
    case 1: return [...write(0x3fa, 0x01 | (random(4) << 6) | (random(2) << 2))];
    case 2: return [...write(0x3ff, random(256)), read(0x3ff)];
    case 3: case 4: return [...write(0x3f8, random(256)), read(0x3fd), read(0x3f8)];
    case 5: return [read(0x3fe, 0xf0)];
    default: return [read([0x3f9, 0x3fa, 0x3fb, 0x3fd][random(4)]!)];
  }
});

// QEMU keeps reserved bits, and so do we not.
compare('IOAPIC', [], (random) => {
  const index = random(0x40);
  const select: Access = { kind: 'writel', at: 0xfec00000, value: index };
  if (random(2) === 0) return [select, { kind: 'readl', at: 0xfec00010, mask: 0xffffffff }];
  const low = 0x10000 | (random(0x10000) & 0xafff);
  const value = index < 2 ? 0x0f000000 : index % 2 === 0 ? low : random(256) * 2 ** 24;
  return [select, { kind: 'writel', at: 0xfec00010, value }];
});
