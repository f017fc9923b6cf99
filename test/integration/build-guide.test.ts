// What docs/guide/build.md shows, done.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BuildContext } from '../support/build-context.ts';
import { Everyday } from '../support/everyday.ts';
import { skipUnless } from '../support/skip.ts';

const page = fs.readFileSync(path.resolve(import.meta.dirname, '../../docs/guide/build.md'), 'utf8');

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);
}

test('the commands print what the page says', { skip: skipUnless('root', 'cgroups', 'busybox') }, async () => {
  await using everyday = new Everyday();
  const [first = '', failing = ''] = blocks('dockerfile');
  using context = new BuildContext([first], { failing });
  const steps = blocks('console').flatMap((text) => text.split(/^# /m).slice(1));
  assert.equal(steps.length, 5);
  for (const step of steps) {
    const [command = ''] = step.split('\n', 1);
    const line = command.replace('./delos run', './delos run --network=none').replace('./delos build', './delos build --network=none').replace('./delos', everyday.command.join(' '));
    const { status, stdout } = spawnSync('sh', ['-c', `${line} 2>&1`], { cwd: context.folder, encoding: 'utf8' });
    const lasting = (text: string): string => text.replace(/[0-9a-f]{64}/g, 'DIGEST');
    assert.equal(lasting(stdout), lasting(step.slice(command.length + 1)).trimStart(), command);
    assert.equal(status, command.includes('failing') ? 1 : 0);
  }
});
