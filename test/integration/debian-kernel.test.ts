import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { loaderOf } from '../../src/boot/catalogue.ts';
import { cpuState } from '../../src/cpu/state.ts';
import { get } from '../../src/lib/layout.ts';
import { guestKernel, type GuestKernel } from '../../tools/vm/kernel.ts';
import { guestMemory } from '../support/guest-memory.ts';
import { MEBIBYTE } from '../support/kernel-image.ts';

function kernelOrReason(): GuestKernel | string {
  try {
    return guestKernel();
  } catch (error) {
    return `there is no kernel: ${(error as Error).message.split('\n')[0]}`;
  }
}

const kernel = kernelOrReason();
const skip = typeof kernel === 'string' ? kernel : false;

function started(path: string): { name: string; at: number; code: Uint8Array } {
  const bytes = new Uint8Array(readFileSync(path));
  const loader = loaderOf(bytes);
  const memory = guestMemory([0, 256 * MEBIBYTE]);
  const state = loader.load({ kernel: bytes, commandLine: 'console=ttyS0', initrd: new Uint8Array(1000) }, memory);
  const at = get(new DataView(state.buffer), cpuState.fields.rip.offset, 'u64') as number;
  return { name: loader.name, at, code: memory.bytes(at, 64).slice() };
}

test("Debian's bzImage starts by the 64-bit protocol at its preferred address, with interrupts and direction cleared first", { skip }, () => {
  const { vmlinux } = kernel as GuestKernel;
  const [image = ''] = globSync(join(dirname(vmlinux), 'boot/vmlinuz-*'));
  const { name, at, code } = started(image);
  assert.equal(name, 'Linux by the 64-bit boot protocol');
  assert.equal(at, 0x1000200);
  assert.deepEqual([...code.subarray(0, 2)].sort(), [0xfa, 0xfc]);
});

test("Debian's vmlinux starts by PVH where readelf finds its note", { skip }, () => {
  const { vmlinux } = kernel as GuestKernel;
  const { name, at } = started(vmlinux);
  assert.equal(name, 'ELF by PVH');
  const notes = execFileSync('readelf', ['-n', vmlinux], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const [, bytes = ''] = /Xen\s+0x\S+\s+Unknown note type: \(0x0*12\)\s+description data: ([\d a-f]+)/.exec(notes) ?? [];
  assert.equal(at, parseInt(bytes.trim().split(' ').toReversed().join(''), 16));
});
