import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../../../test/support/skip.ts';
import { device, eisaId, integer, levelInterrupt, memory32, name, packageOf, path as amlPath, resources, scope, text } from './aml.ts';
import { acpiFiles } from './loader.ts';
import { createAcpiTables, type AcpiTables } from './tables.ts';

const made = createAcpiTables({ cpus: 3, serialPorts: 2 });

function at({ tables }: AcpiTables, address: number): Buffer {
  const { bytes, address: start } = tables.find((one) => address >= one.address && address < one.address + one.bytes.length) ?? assert.fail(`no table at ${address}`);
  const from = Buffer.from(bytes).subarray(address - start);
  return from.subarray(0, from.toString('latin1', 0, 8) === 'RSD PTR ' ? 36 : from.readUInt32LE(4));
}

/** What firmware makes of the three files, when it puts them where it likes. */
function loaded(files: Record<string, Uint8Array>, places: Record<string, number>): AcpiTables {
  const commands = Buffer.from(files['etc/table-loader'] ?? assert.fail('no commands'));
  const text = (offset: number): string => commands.subarray(offset, offset + 56).toString('latin1').replace(/\0+$/, '');
  const allocated: string[] = [];
  for (let offset = 0; offset < commands.length; offset += 128) {
    const file = text(offset + 4);
    const bytes = Buffer.from(files[file]?.buffer ?? assert.fail(file));
    const [one, two, three] = [60, 64, 68].map((field) => commands.readUInt32LE(offset + field)) as [number, number, number];
    switch (commands.readUInt32LE(offset)) {
      case 1:
        assert.deepEqual([(places[file] ?? 1) % one, commands[offset + 64]], [0, file === 'etc/acpi/rsdp' ? 2 : 1]);
        allocated.push(file);
        break;
      case 2: {
        const place = commands.readUInt32LE(offset + 116);
        assert.ok(allocated.includes(file) && allocated.includes(text(offset + 60)));
        bytes.writeUIntLE(bytes.readUIntLE(place, 4) + (places[text(offset + 60)] ?? NaN), place, 4);
        assert.equal(commands[offset + 120] === 8 ? bytes.readUInt32LE(place + 4) : 0, 0);
        break;
      }
      case 3:
        bytes[one] = (bytes[one] ?? 0) - sum(bytes.subarray(two, two + three));
        break;
      default:
        assert.fail('an unknown command');
    }
  }
  return { tables: allocated.map((file) => ({ address: places[file] ?? NaN, bytes: files[file] ?? assert.fail(file) })), rsdp: places['etc/acpi/rsdp'] ?? NaN };
}

const sum = (bytes: Buffer): number => bytes.reduce((total, byte) => (total + byte) % 256, 0);

/** As a system does: from the RSDP over the XSDT to all tables, by their signatures. */
function found(acpi: AcpiTables): Record<string, Buffer> {
  const root = at(acpi, acpi.rsdp);
  assert.deepEqual([root.subarray(0, 8).toString(), root[15], sum(root.subarray(0, 20)), sum(root), root.readUInt32LE(20)], ['RSD PTR ', 2, 0, 0, 36]);
  const rsdt = at(acpi, root.readUInt32LE(16));
  const xsdt = at(acpi, Number(root.readBigUInt64LE(24)));
  const short = Array.from({ length: (rsdt.length - 36) / 4 }, (_, index) => rsdt.readUInt32LE(36 + 4 * index));
  const long = Array.from({ length: (xsdt.length - 36) / 8 }, (_, index) => Number(xsdt.readBigUInt64LE(36 + 8 * index)));
  assert.deepEqual(short, long);
  const tables = [rsdt, xsdt, ...long.map((address) => at(acpi, address))];
  const fadt = tables.find((table) => table.subarray(0, 4).toString() === 'FACP') ?? assert.fail('no FADT');
  assert.equal(Number(fadt.readBigUInt64LE(140)), fadt.readUInt32LE(40));
  tables.push(at(acpi, fadt.readUInt32LE(40)));
  const facs = at(acpi, fadt.readUInt32LE(36));
  for (const table of tables) assert.deepEqual([table.readUInt32LE(4), sum(table)], [table.length, 0], table.subarray(0, 4).toString());
  return { FACS: facs, ...Object.fromEntries(tables.map((table) => [table.subarray(0, 4).toString(), table])) };
}

test('a system finds every table, with right lengths and checksums', () => {
  assert.deepEqual(Object.keys(found(made)).toSorted(), ['APIC', 'DSDT', 'FACP', 'FACS', 'RSDT', 'XSDT']);
  assert.deepEqual(Object.keys(found(createAcpiTables({ cpus: 1, serialPorts: 0 }, 0x7fe0000))).length, 6);
  for (const { address } of made.tables) assert.equal(address % 64, 0);
});

test('from the files of fw_cfg, firmware makes the same, wherever it puts them', () => {
  const acpi = loaded(acpiFiles({ cpus: 3, serialPorts: 2 }), { 'etc/acpi/tables': 0x0ffe0040, 'etc/acpi/rsdp': 0xf5a60 });
  const [there, here] = [found(acpi), found(made)];
  assert.deepEqual(Object.keys(there).toSorted(), Object.keys(here).toSorted());
  for (const same of ['DSDT', 'APIC', 'FACS']) assert.deepEqual(there[same], here[same]);
});

test('no table is over another, and all are below 1 MiB', () => {
  const places = made.tables.map(({ address, bytes }) => [address, address + bytes.length] as const).toSorted(([one], [other]) => one - other);
  for (const [index, [start]] of places.entries()) assert.ok(start >= (places[index - 1]?.[1] ?? 0xe0000));
  assert.ok((places.at(-1)?.[1] ?? 0) < 0x100000);
});

test('the MADT: processors, the IOAPIC, the timer\'s pin, the SCI\'s level', () => {
  const { APIC } = found(made);
  const entries: string[] = [];
  for (let offset = 44; offset < APIC!.length; offset += APIC![offset + 1]!) entries.push(APIC!.subarray(offset, offset + APIC![offset + 1]!).toString('hex'));
  assert.deepEqual(entries, [
    '0008000001000000', '0008010101000000', '0008020201000000', '010c00000000c0fe00000000', '020a0000020000000000', '020a0009090000000d00', '0406ff000001',
  ]);
});

test('the FADT: blocks, reset register, no reduced hardware', () => {
  const { FACP } = found(made);
  assert.deepEqual([FACP!.length, FACP!.readUInt16LE(46), FACP!.readUInt32LE(56), FACP!.readUInt32LE(64), FACP!.readUInt32LE(76)], [276, 9, 0x600, 0x604, 0x608]);
  assert.equal(FACP!.subarray(116, 129).toString('hex'), '01080001f90c00000000000006');
  assert.equal(FACP!.readUInt32LE(112) & ((1 << 20) | (1 << 4)), 0, 'and the power button is fixed hardware');
});

test('AML: lengths of one to four bytes, names, integers, identifiers', () => {
  const lengthOf = (bytes: number): string => Buffer.from(scope('X', Array.from({ length: bytes - 4 }, () => 0)).slice(1, -bytes)).toString('hex');
  assert.deepEqual([62, 63, 0xffd, 0xffe, 0xffffc, 0xffffd].map(lengthOf), ['3f', '4104', '4fff', '810001', '8fffff', 'c1000001']);
  assert.deepEqual(['\\', '\\_SB', 'A.B', '\\A.B.C'].map((one) => Buffer.from(amlPath(one)).toString('latin1')), ['\\\0', '\\_SB_', '.A___B___', '\\/\x03A___B___C___']);
  assert.deepEqual([0, 1, 2, 0x100, 0x10000, 2 ** 32].map((one) => Buffer.from(integer(one)).toString('hex')), ['00', '01', '0a02', '0b0001', '0c00000100', '0e0000000001000000']);
  assert.deepEqual([Buffer.from(eisaId('PNP0501')).toString('hex'), Buffer.from(packageOf(integer(5), text('x'))).toString('hex')], ['0c41d00501', '1207020a050d7800']);
});

test('iasl disassembles every table, and compiles what it has read without an error', { skip: skipUnless('iasl') }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-acpi-'));
  try {
    const virtio = device('VIO0', name('_HID', text('LNRO0005')), name('_UID', integer(0)), name('_CRS', resources(memory32(0xfeb00000, 0x200), levelInterrupt(16))));
    const tables = found(createAcpiTables({ cpus: 20, serialPorts: 4, devices: [virtio] }));
    for (const [signature, bytes] of Object.entries(tables)) {
      fs.writeFileSync(path.join(folder, `${signature}.dat`), bytes);
      const disassembled = spawnSync('iasl', ['-d', `${signature}.dat`], { cwd: folder, encoding: 'utf8' });
      const text = `${disassembled.stdout}${disassembled.stderr}${fs.readFileSync(path.join(folder, `${signature}.dsl`), 'utf8')}`;
      assert.equal(disassembled.status, 0, text);
      assert.doesNotMatch(text, /warning|error(?!\s*:?\s*0)|incorrect|unknown|invalid/i, signature);
    }
    // Unoptimised, it is what it was but for the header, in which the compiler names itself.
    const compiled = spawnSync('iasl', ['-oa', 'DSDT.dsl'], { cwd: folder, encoding: 'utf8' });
    assert.match(compiled.stdout, /Compilation successful\. 0 Errors, 0 Warnings/, compiled.stdout + compiled.stderr);
    assert.deepEqual(fs.readFileSync(path.join(folder, 'DSDT.aml')).subarray(36), tables['DSDT']!.subarray(36));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
