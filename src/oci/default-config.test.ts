import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from './config/parse.ts';
import { checkConfig } from './config/validate.ts';
import { defaultConfig } from './default-config.ts';

/** What runc of this host writes; undefined where there is none. */
function runcSpec(...flags: readonly string[]): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'delos-spec-'));
  try {
    const { error, status, stderr } = spawnSync('runc', ['spec', ...flags], { cwd: folder, encoding: 'utf8' });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined;
    assert.equal(status, 0, stderr);
    return JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const rootless of [false, true]) {
  const flags = rootless ? ['--rootless'] : [];

  test(`defaultConfig() equals \`runc spec ${flags.join(' ')}\``, (t) => {
    const theirs = runcSpec(...flags);
    if (theirs === undefined) return t.skip('runc is not installed here');
    const ours = defaultConfig({ rootless, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
    assert.deepEqual({ ...ours, ociVersion: '' }, { ...(theirs as object), ociVersion: '' });
  });

  test(`defaultConfig(), ${rootless ? 'rootless' : 'for root'}, is read back as it is and has no warnings`, () => {
    const ours = defaultConfig({ rootless, uid: 1000, gid: 1000 });
    assert.deepEqual(parseConfig(JSON.stringify(ours)), ours);
    assert.deepEqual(checkConfig(ours), { warnings: [] });
    assert.equal(ours.ociVersion, '1.3.0');
  });
}

test('defaultConfig() maps root inside to the user outside', () => {
  const { linux } = defaultConfig({ rootless: true, uid: 1234, gid: 5678 });
  assert.deepEqual(linux?.uidMappings, [{ containerID: 0, hostID: 1234, size: 1 }]);
  assert.deepEqual(linux?.gidMappings, [{ containerID: 0, hostID: 5678, size: 1 }]);
});
