import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertResumes, Bench } from '../../test/support/device-bench.ts';
import { DelosError } from '../lib/errors.ts';
import { FW_CFG_RAM_SIZE, FwCfg } from './fw-cfg.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function build(bench = new Bench()): { bench: Bench; ram: Uint8Array } {
  const ram = new Uint8Array(0x1000);
  const bytes = (address: number, length: number): Uint8Array => {
    if (address + length > ram.length) throw new RangeError('no memory there');
    return ram.subarray(address, address + length);
  };
  const device = new FwCfg({ bytes }, { [FW_CFG_RAM_SIZE]: Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0) }, { 'etc/two': text('second'), 'etc/one': text('first') });
  bench.bus.ports.attach(0x510, 12, device);
  bench.stateful.push(device);
  return { bench, ram };
}

function item(bench: Bench, key: number, length: number): Buffer {
  bench.out(0x510, key, 2);
  return Buffer.from(Array.from({ length }, () => bench.in(0x511)));
}

const swapped = (value: number): number => Buffer.from(Uint32Array.of(value).buffer).readUInt32BE();

/** A DMA access whose description is at 100h. Gives the control word that is left. */
function dma(bench: Bench, ram: Uint8Array, control: number, length: number, address: number): number {
  const view = new DataView(ram.buffer, 0x100);
  view.setUint32(0, control);
  view.setUint32(4, length);
  view.setBigUint64(8, BigInt(address));
  bench.out(0x514, 0, 4);
  bench.out(0x518, swapped(0x100), 4);
  return view.getUint32(0);
}

test('the signature, the features, an item, and zeros behind it', () => {
  const { bench } = build();
  assert.deepEqual([item(bench, 0, 6).toString(), item(bench, 1, 4).readUInt32LE()], ['QEMU\0\0', 3]);
  assert.deepEqual([item(bench, 3, 10).toString('hex'), item(bench, 0x7777, 2).toString('hex')], ['00000004000000000000', '0000']);
});

test('files are in the directory in the order of their names', () => {
  const { bench } = build();
  const directory = item(bench, 0x19, 4 + 128);
  assert.equal(directory.readUInt32BE(0), 2);
  const entries = [directory.subarray(4, 68), directory.subarray(68)].map((entry) => {
    const name = entry.subarray(8).toString().replace(/\0+$/, '');
    return [entry.readUInt32BE(0), entry.readUInt16BE(4), name];
  });
  assert.deepEqual(entries, [[5, 0x20, 'etc/one'], [6, 0x21, 'etc/two']]);
  assert.equal(item(bench, 0x21, 6).toString(), 'second');
});

test('DMA: its signature, select and read, skip, zeros behind the end', () => {
  const { bench, ram } = build();
  assert.deepEqual([swapped(bench.in(0x514, 4)), swapped(bench.in(0x518, 4))], [0x51454d55, 0x20434647]);
  assert.equal(dma(bench, ram, 0x21_000a, 3, 0x200), 0);
  assert.equal(Buffer.from(ram.subarray(0x200, 0x203)).toString(), 'sec');
  assert.equal(dma(bench, ram, 0x04, 1, 0), 0);
  ram.fill(9, 0x200, 0x210);
  assert.equal(dma(bench, ram, 0x02, 8, 0x200), 0);
  assert.equal(Buffer.from(ram.subarray(0x200, 0x209)).toString('hex'), '6e6400000000000009');
  assert.equal(dma(bench, ram, 0x21_0008, 0, 0), 0);
  assert.equal(bench.in(0x511), 0x73, 'selected anew');
});

test('DMA that can\'t be done says so, and one that nobody can read is nothing', () => {
  const { bench, ram } = build();
  assert.deepEqual([dma(bench, ram, 0x21_000a, 0xffffffff, 0), dma(bench, ram, 0x02, 4, 0xfff), dma(bench, ram, 0x21_0018, 4, 0)], [1, 1, 1]);
  bench.out(0x514, 0xffffffff, 4);
  bench.out(0x518, 0xffffffff, 4);
});

test('a name that is too long is refused', () => {
  const make = (): FwCfg => new FwCfg({ bytes: () => new Uint8Array() }, {}, { ['x'.repeat(56)]: new Uint8Array() });
  assert.throws(make, (error) => error instanceof DelosError && error.code === 'bad-machine');
});

test('a restored one goes on as the saved one', () => {
  assertResumes((bench) => build(bench), ({ ram }) => [
    (bench, random) => bench.out(0x510, [0, 1, 0x19, 0x20, 0x21, 3][random(6)]!, 2),
    (bench) => bench.in(0x511),
    (bench, random) => dma(bench, ram, (random(0x22) << 16) | random(32), random(80), random(0x1010)),
    (bench, random) => bench.in(0x510 + random(12), ([1, 2, 4] as const)[random(3)]!),
  ], { seeds: 20 });
});
