import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findConflist, parseConflist } from './conflist.ts';

const plugin = { type: 'bridge', bridge: 'lab0' };

function parse(value: unknown): ReturnType<typeof parseConflist> {
  return parseConflist(JSON.stringify(value), 'lab.conflist');
}

test('a list of plugins, and one plugin alone', () => {
  assert.deepEqual(parse({ cniVersion: '1.0.0', name: 'lab', plugins: [plugin] }), { name: 'lab', cniVersion: '1.0.0', disableCheck: false, plugins: [plugin] });
  const alone = { cniVersion: '0.4.0', name: 'lab', ...plugin };
  assert.deepEqual(parse(alone), { name: 'lab', cniVersion: '0.4.0', disableCheck: false, plugins: [alone] });
});

test('the newest version that both speak', () => {
  assert.equal(parse({ cniVersion: '0.4.0', cniVersions: ['0.4.0', '1.1.0', '7.0.0'], name: 'lab', plugins: [plugin] }).cniVersion, '1.1.0');
});

test('what is no configuration is told in one line', () => {
  const good = { cniVersion: '1.0.0', name: 'lab', plugins: [plugin] };
  for (const [value, message] of [
    [[], 'lab.conflist: no object'],
    [{ ...good, name: '../lab' }, 'lab.conflist: a network needs a name of letters, digits, \'_\', \'.\' and \'-\': "../lab"'],
    [{ ...good, plugins: [] }, 'lab.conflist: plugins: a network needs at least one plugin'],
    [{ ...good, plugins: [plugin, { type: '../../bin/sh' }] }, 'lab.conflist: plugins[1].type: no name of a plugin: "../../bin/sh"'],
    [{ ...good, cniVersion: '0.2.0' }, 'lab.conflist: cniVersion: expected one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0, found "0.2.0"'],
  ] as const) assert.throws(() => parse(value), { code: 'bad-network', message });
  assert.throws(() => parseConflist('{', 'lab.conflist'), { code: 'bad-network', message: /^lab\.conflist: no JSON: [^\n]+$/ });
});

test('a damaged file matters to those alone who find no network', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-conflist-'));
  try {
    fs.writeFileSync(path.join(folder, '1.conflist'), '{');
    fs.writeFileSync(path.join(folder, '2.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'lab', plugins: [plugin] }));
    fs.writeFileSync(path.join(folder, 'readme.txt'), '');
    assert.equal(findConflist(folder, 'lab').name, 'lab');
    assert.throws(() => findConflist(folder, 'other'), { code: 'no-network', message: /^no network other in \S+: there is lab; \S+1\.conflist: no JSON: [^\n]+$/ });
    assert.throws(() => findConflist(path.join(folder, 'none'), 'lab'), { code: 'no-network', message: /: there is none$/ });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
