import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { skipUnless } from '../support/skip.ts';

const guide = path.resolve(import.meta.dirname, '../../docs/guide/library.md');
const source = (name: string): string => pathToFileURL(path.resolve(import.meta.dirname, '../../src', name)).href;
/** What the examples import, and where it is here. */
const modules: readonly (readonly [name: string, file: string])[] = [["'delos'", source('index.ts')], ["'delos/machine'", source('machine.ts')]];
const examples = [...fs.readFileSync(guide, 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code = '']) => code);

/** What an example says it prints: its comments, which are lines of their own. */
function expected(code: string): string[] {
  return [...code.matchAll(/^\/\/ (.*)$/gm)].map(([, text = '']) => text);
}

test('the guide has its examples', () => assert.equal(examples.length, 9));

/** A network of its own, and networks of its own: this machine keeps what it has. */
const apart = 'ip link set lo up && mount -t tmpfs tmpfs /var/lib/delos && exec "$@"';

function words(code: string, file: string): [string, ...string[]] {
  if (!code.includes('networks.')) return [process.execPath, file];
  fs.mkdirSync('/var/lib/delos', { recursive: true });
  return ['unshare', '--net', '--mount', 'sh', '-c', apart, 'sh', process.execPath, file];
}

for (const [index, code] of examples.entries()) {
  test(`example ${index + 1} prints what it says`, { skip: skipUnless('root', 'cgroups', ...(code.includes('networks.') ? ['ip'] : [])) }, () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-guide-'));
    try {
      const file = path.join(folder, 'example.mts');
      fs.writeFileSync(file, modules.reduce((text, [name, here]) => text.replace(`from ${name}`, `from '${here}'`), code));
      const [program, ...rest] = words(code, file);
      const { status, stdout, stderr } = spawnSync(program, rest, { cwd: folder, encoding: 'utf8', timeout: 60_000 });
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(stdout.split('\n').filter((line) => line !== ''), expected(code));
      if (code.includes('sorted.txt')) assert.equal(fs.readFileSync(path.join(folder, 'sorted.txt'), 'utf8'), 'a\nb\n');
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
}
