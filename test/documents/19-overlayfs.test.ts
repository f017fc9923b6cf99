/**
 * Number 19, references 2.10.19: the options of an overlay, the folders that it takes, copy on write, the order of the layers, and what a
 * deletion leaves. What the document got wrong and is done right here: it hands the layers over in the order of the image, lowest first,
 * where the kernel wants the uppermost first, so that a base would hide its own updates; `:` and `,` in a path would split a layer; and the
 * options of many layers do not fit in the page that mount(2) takes.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { planContainer } from '../../src/oci/plan.ts';
import { explainJson } from '../../src/plan/explain.ts';
import { runContainer } from '../../src/runtime/create.ts';
import { prepare } from '../../src/runtime/prepare.ts';
import type { RunRequest } from '../../src/runtime/requests.ts';
import { executorFd } from '../../src/sys/memfd.ts';
import { makeBundle, script, type Bundle } from '../support/bundle.ts';
import { storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { noContainers } from './claims.ts';

/** A folder in the bundle with these files. */
function layer({ path: folder }: Bundle, name: string, files: Readonly<Record<string, string>>): string {
  const made = path.join(folder, name);
  fs.mkdirSync(made, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(made, file)), { recursive: true });
    fs.writeFileSync(path.join(made, file), text);
  }
  return made;
}

function requestOf(bundle: Bundle, lowers: readonly string[]): RunRequest {
  const writable = path.join(bundle.path, 'layer');
  for (const folder of ['upper', 'work']) fs.mkdirSync(path.join(writable, folder), { recursive: true });
  return {
    root: storeRoot, systemdCgroup: false, id: newId(), bundle: bundle.path, preserveFds: 0, noPivot: false, noNewKeyring: false, detach: false, keep: false,
    overlay: { lowers, layer: writable },
  };
}

test('test_overlayfs', { skip: noContainers }, async (context) => {
  // Stays open once it was used.
  executorFd();
  const before = leaks();

  await context.test('the option string names the layers, uppermost first, then upper and work', () => {
    using bundle = makeBundle();
    const wanted = requestOf(bundle, ['/layers/b,with:both', '/layers/a']);
    const { config, facts, request } = prepare(wanted, false);
    const steps = explainJson(planContainer(config, facts, request));
    const mount = steps.find(({ call, arguments: words }) => call === 'mount' && words['type'] === '"overlay"');
    assert.deepEqual([mount?.arguments['source'], mount?.arguments['data']], ['"overlay"', '"lowerdir=0:1,upperdir=upper,workdir=work"']);
    const links = steps.filter(({ call }) => call === 'symlinkat').map(({ arguments: words }) => Object.values(words).join(' '));
    assert.ok(links.some((words) => words.startsWith('"/layers/b,with:both" ') && words.endsWith('"0"')), links.join('\n'));
  });

  await context.test('a later layer shows; what is written and deleted is in the upper folder alone', async () => {
    using bundle = makeBundle(script('set -e; cp /order /seen; ls /dir > /listed; echo changed > /base; rm /order; mkdir /dir/new'));
    const base = layer(bundle, 'base:1', { order: 'base\n', base: 'base\n', 'dir/base': '' });
    const update = layer(bundle, 'update,2', { order: 'update\n', 'dir/update': '' });
    assert.equal(await runContainer(requestOf(bundle, [update, base, bundle.rootfs])), 0);
    const upper = (name: string): string => path.join(bundle.path, 'layer/upper', name);
    assert.equal(fs.readFileSync(upper('seen'), 'utf8'), 'update\n');
    assert.equal(fs.readFileSync(upper('listed'), 'utf8'), 'base\nupdate\n');
    assert.equal(fs.readFileSync(upper('base'), 'utf8'), 'changed\n');
    const gone = fs.statSync(upper('order'));
    assert.deepEqual([gone.isCharacterDevice(), gone.rdev], [true, 0]);
    assert.ok(fs.statSync(upper('dir/new')).isDirectory());
    assert.deepEqual([fs.readFileSync(path.join(base, 'base'), 'utf8'), fs.readFileSync(path.join(update, 'order'), 'utf8')], ['base\n', 'update\n']);
  });

  await context.test('two hundred layers, whose paths are many pages', async () => {
    using bundle = makeBundle(script('cat /everywhere > /seen; ls /each | wc -l >> /seen'));
    const names = Array.from({ length: 200 }, (_, index) => layer(bundle, `${'deep/'.repeat(10)}${index}`, { everywhere: `${index}\n`, [`each/${index}`]: '' }));
    assert.equal(await runContainer(requestOf(bundle, [...names.toReversed(), bundle.rootfs])), 0);
    assert.equal(fs.readFileSync(path.join(bundle.path, 'layer/upper/seen'), 'utf8'), '199\n200\n');
  });

  await assertNoLeaks(before);
});
