// Layers as a build looks at them, without a mount, and as overlayfs shows them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { LayerView } from '../../src/dockerfile/layer-view.ts';
import { childOf } from '../../src/layers/walk.ts';
import { pick, randomFrom, type Random } from '../fixtures/seccomp-profile.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'unshare', 'mount', 'setfattr');

/** What overlayfs shows, as `kind path text`, one a line: find(1) in a mount namespace of its own. */
function mounted(lowers: readonly string[], target: string): string[] {
  const script = 'mount -t overlay overlay -o "lowerdir=$1" "$2" && cd "$2" && find . -mindepth 1 -printf "%y %P %l\\n"';
  // A whiteout that hides nothing is listed, and yet cannot be found: find(1) complains of it and goes on.
  const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', lowers.join(':'), target], { encoding: 'utf8' });
  assert.equal(stderr.split('\n').some((line) => line !== '' && !line.endsWith(': No such file or directory')), false, stderr);
  return stdout.trim().split('\n').map((line) => line.trimEnd()).sort();
}

const letters: Readonly<Record<string, string>> = { directory: 'd', file: 'f', symlink: 'l' };

function viewed(view: LayerView, folder = ''): string[] {
  return view.names(folder).flatMap((name) => {
    const place = childOf(folder, name);
    const node = view.open(place);
    assert.ok(node !== undefined, place);
    const line = `${letters[node.kind]} ${place} ${node.kind === 'symlink' ? node.link() : ''}`.trimEnd();
    node.close();
    return node.kind === 'directory' ? [line, ...viewed(view, place)] : [line];
  });
}

const names = ['a', 'b', 'c'];

/** A layer of files, folders, links, whiteouts and opaque folders, over whatever is below. */
function fill(random: Random, folder: string, depth: number): void {
  for (const name of names) {
    const file = path.join(folder, name);
    const kind = random(6);
    if (kind === 0) fs.writeFileSync(file, 'x');
    if (kind === 1) fs.symlinkSync(pick(random, ['a', '../b', '/c', 'none']), file);
    if (kind === 2) spawnSync('mknod', [file, 'c', '0', '0']);
    if (kind <= 2 || kind === 5 || depth === 0) continue;
    fs.mkdirSync(file);
    if (random(3) === 0) execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', file]);
    fill(random, file, depth - 1);
  }
}

test('random layers look as an overlay mount of them', { skip }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-view-'));
  try {
    for (let seed = 1; seed <= 12; seed++) {
      const random = randomFrom(seed);
      const layers = [1, 2, 3].map((number) => path.join(folder, `${seed}-${number}`));
      for (const layer of layers) {
        fs.mkdirSync(layer);
        fill(random, layer, 2);
      }
      const target = path.join(folder, 'target');
      fs.mkdirSync(target, { recursive: true });
      using view = new LayerView(layers);
      assert.deepEqual(viewed(view).sort(), mounted(layers, target).filter((line) => line !== ''), `seed ${seed}`);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});

test('links count from the root, lead nowhere else, and not for ever', { skip }, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-view-'));
  try {
    const [top, low] = ['top', 'low'].map((name) => path.join(folder, name)) as [string, string];
    fs.mkdirSync(path.join(low, 'usr/bin'), { recursive: true });
    fs.mkdirSync(top);
    for (const [name, text] of Object.entries({ bin: 'usr/bin', up: '../../../../usr', abs: '/bin/x', loop: 'loop' })) fs.symlinkSync(text, path.join(top, name));
    fs.writeFileSync(path.join(low, 'usr/bin/x'), '');
    using view = new LayerView([top, low]);
    assert.deepEqual(view.resolve('bin/x'), { path: 'usr/bin/x', kind: 'file' });
    assert.deepEqual(view.resolve('/up/./bin/../../abs'), { path: 'usr/bin/x', kind: 'file' });
    assert.deepEqual(view.resolve('bin/none/y'), { path: 'usr/bin/none/y', kind: undefined });
    assert.deepEqual(view.resolve('../..'), { path: '', kind: 'directory' });
    assert.throws(() => view.resolve('loop/x'), { code: 'io', message: /too many links/ });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
});
