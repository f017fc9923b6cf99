import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { dependencies, loadOrder, moduleName } from './modules.ts';

test('the dependencies of a module are read out of it', () => {
  assert.deepEqual(dependencies(Buffer.from('ELF..\0license=GPL\0depends=virtio-ring,virtio\0name=x\0')), ['virtio_ring', 'virtio']);
  assert.deepEqual(dependencies(Buffer.from('ELF..\0depends=\0name=x\0')), []);
  assert.deepEqual(dependencies(Buffer.from('ELF..\0name=x\0')), []);
});

test('a module comes after those that it needs, and each once', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'delos-modules-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const made = (name: string, depends: string): [string, string] => {
    const file = join(folder, name);
    writeFileSync(file, `\0depends=${depends}\0`);
    return [moduleName(file), file];
  };
  const files = new Map([made('9p.ko', '9pnet,netfs'), made('9pnet.ko', ''), made('netfs.ko', '9pnet'), made('lost.ko', 'nowhere')]);
  assert.deepEqual(loadOrder(['9p', '9pnet'], files), ['9pnet', 'netfs', '9p']);
  assert.throws(() => loadOrder(['lost'], files), /nowhere, which lost needs/);
});
