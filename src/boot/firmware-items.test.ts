import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guestMemory } from '../../test/support/guest-memory.ts';
import { MEBIBYTE } from '../../test/support/kernel-image.ts';
import { firmwareItems } from './firmware-items.ts';

function view(bytes: Uint8Array | undefined): DataView {
  assert.ok(bytes !== undefined);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

test("the map is QEMU's etc/e820: 20 bytes a range, RAM as a whole, the firmware reserved", () => {
  const memory = guestMemory([0, 64 * MEBIBYTE], [0xfffc0000, 0x40000, true]);
  const map = view(firmwareItems({ memory, cpus: 1, serialPorts: 1 }).files['etc/e820']);
  const entries = Array.from({ length: map.byteLength / 20 }, (_, at) => [map.getBigUint64(at * 20, true), map.getBigUint64(at * 20 + 8, true), map.getUint32(at * 20 + 16, true)]);
  assert.deepEqual(entries, [[0n, BigInt(64 * MEBIBYTE), 1], [0xfffc0000n, 0x40000n, 2]]);
});

test('items by number: RAM without the ROM in eight bytes, processors in two, and that the timer comes in at pin 2', () => {
  const { items } = firmwareItems({ memory: guestMemory([0, 64 * MEBIBYTE], [0xfffc0000, 0x40000, true]), cpus: 3, serialPorts: 1 });
  assert.equal(view(items[0x03]).getBigUint64(0, true), BigInt(64 * MEBIBYTE));
  assert.deepEqual([items[0x05], items[0x0f], items[0x8002]].map((item) => [...(item ?? [])]), [[3, 0], [3, 0], [1, 0, 0, 0]]);
});

test('the console is the first serial port, if there is one; the tables are there either way', () => {
  const memory = guestMemory([0, 64 * MEBIBYTE]);
  const { files } = firmwareItems({ memory, cpus: 1, serialPorts: 1 });
  assert.equal(view(files['etc/sercon-port']).getBigUint64(0, true), 0x3f8n);
  assert.deepEqual(Object.keys(firmwareItems({ memory, cpus: 1, serialPorts: 0 }).files).sort(), ['etc/acpi/rsdp', 'etc/acpi/tables', 'etc/e820', 'etc/table-loader']);
});
