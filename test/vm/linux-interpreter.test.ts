/** Debian's own kernel on the processor that is written here. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { SnapshotFile, writeSnapshot } from '../../src/snapshot/file.ts';
import { restore } from '../../src/snapshot/snapshot.ts';
import { guestKernel } from '../../tools/vm/kernel.ts';
import { floatBytes } from '../support/float-module.ts';
import { noBusybox, shellAndPowerOff } from '../support/linux-guest.ts';

test('it boots to a shell, which hears what is typed, goes on from a snapshot, and powers off', { skip: noBusybox }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'delos-linux-'));
  try {
    const { end, text } = await shellAndPowerOff(new Uint8Array(readFileSync(guestKernel().vmlinux)), undefined, (machine, serial) => {
      writeSnapshot(machine, join(folder, 'shell'));
      using file = new SnapshotFile(join(folder, 'shell'));
      return restore(file, { engine: createInterpreter(floatBytes), serial: [serial] });
    });
    assert.deepEqual(end, { kind: 'power-off' }, text.slice(-4000));
    assert.match(text, /^still-42/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
