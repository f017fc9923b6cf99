import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isaLines, shareLine } from './lines.ts';

test('a shared line is up while one end is, and each end counts once', () => {
  const log: boolean[] = [];
  const end = shareLine((up) => log.push(up));
  const [one, other] = [end(), end()];
  for (const up of [true, true]) one(up);
  other(true);
  one(false);
  assert.deepEqual(log, [true]);
  for (const up of [false, false]) other(up);
  assert.deepEqual(log, [true, false]);
});

test('an IRQ comes in at both controllers, the timer\'s at pin 2 of the IOAPIC, the cascade\'s nowhere', () => {
  const log: string[] = [];
  const input = (name: string): { set(line: number, up: boolean): void } => ({ set: (line, up) => void log.push(`${name}${line}${up ? '+' : '-'}`) });
  const irq = isaLines(input('pic'), input('ioapic'));
  for (const at of [0, 2, 4, 99]) irq(at)(true);
  irq(4)(true);
  assert.deepEqual(log, ['pic0+', 'ioapic2+', 'pic4+', 'ioapic4+']);
});
