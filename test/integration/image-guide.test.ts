// What docs/guide/images.md shows, done.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { busyboxTar } from '../support/busybox-image.ts';
import { Everyday } from '../support/everyday.ts';
import { startRegistry, type RegistryProcess } from '../support/registry-process.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox', 'docker-registry');
const page = fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/guide/images.md'), 'utf8');
const library = pathToFileURL(path.resolve(import.meta.dirname, '../../src/index.ts')).href;

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
}

/** Commands of a console with what each prints. */
function steps(text: string): { command: string; output: string }[] {
  return text.split(/^# /m).slice(1).map((step) => {
    const end = step.indexOf('\n');
    return { command: step.slice(0, end), output: step.slice(end + 1) };
  });
}

/** What differs from one time to the next is left out. */
function lasting(text: string): string {
  const host = text.replace(/127\.0\.0\.1:\d+/g, 'registry.example');
  const things = host.replace(/\b[0-9a-f]{64}\b/g, 'DIGEST').replace(/\b[0-9a-f]{12}\b/g, 'ID').replace(/\b[\d.]+[kM]?B( \(\d+%\))?/g, 'SIZE');
  return things.replace(/(\d+|About a|Less than a) (second|minute)s? ago/g, 'AGO').replace(/ +/g, ' ');
}

/** The image that the page begins with, in the registry, and not here. */
function prepare(everyday: Everyday, { host }: RegistryProcess): void {
  fs.copyFileSync(busyboxTar(everyday.data), path.join(everyday.data, 'base.tar'));
  const name = `${host}/team/base:1`;
  const [program = '', ...before] = everyday.command;
  const imported = spawnSync(program, [...before, 'import', '-c', 'CMD ["sh"]', '-c', 'ENV PATH=/bin', 'base.tar', name], { cwd: everyday.data });
  assert.equal(imported.status, 0, imported.stderr.toString());
  everyday.output('push', '-q', name);
  everyday.output('rmi', name);
}

test('the commands print what the page says', { skip }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context);
  prepare(everyday, registry);
  const work = fs.mkdtempSync(path.join(everyday.data, 'guide-'));
  const all = blocks('console').flatMap(steps);
  assert.equal(all.length, 20);
  for (const { command, output } of all) {
    const named = command.replaceAll('registry.example', registry.host);
    const line = named.replaceAll('./delos run', './delos run --network=none').replaceAll('./delos', everyday.command.join(' '));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: work, encoding: 'utf8', env: { ...process.env } });
    assert.equal(status, 0, `${command}: ${stderr}`);
    assert.equal(lasting(stdout), lasting(output), command);
  }
});

test('the program prints what it says', { skip }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context);
  prepare(everyday, registry);
  const [code = ''] = blocks('ts');
  const file = path.join(everyday.data, 'example.mts');
  fs.writeFileSync(file, code.replace("from 'delos'", `from '${library}'`).replaceAll('registry.example', registry.host));
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { cwd: everyday.data, encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  assert.equal(lasting(stdout), [...code.matchAll(/^\/\/ (.*\n)/gm)].map(([, text = '']) => text).join(''));
});
