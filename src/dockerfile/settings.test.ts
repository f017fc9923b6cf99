import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunConfig } from '../images/config-change.ts';
import { settings, withEntrypoint, workingDir } from './settings.ts';
import { parseDockerfile, type Instruction } from './syntax.ts';

const values: Readonly<Record<string, string>> = { V: 'val', P: '81 82' };
const variables = (name: string): string | undefined => values[name];
const line = (text: string): Instruction => parseDockerfile(text, 'D')[0] as Instruction;

function after(text: string, config: RunConfig = {}): RunConfig {
  const instruction = line(text);
  const setting = settings[instruction.name];
  assert.ok(setting !== undefined);
  return setting(config, instruction, variables).config;
}

test('each instruction changes its part of the configuration', () => {
  assert.deepEqual(after('ENV A=$V B="x $V" C=a\\ b', { Env: ['A=0', 'Z=1'] }), { Env: ['A=val', 'Z=1', 'B=x val', 'C=a b'] });
  assert.deepEqual(after('ENV A some $V words'), { Env: ['A=some val words'] });
  assert.deepEqual(after('LABEL a.b="1" $V=2', { Labels: { a: '0' } }), { Labels: { 'a': '0', 'a.b': '1', 'val': '2' } });
  assert.deepEqual(after('EXPOSE 80 53/UDP $P 90-91/tcp'), { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '81/tcp': {}, '82/tcp': {}, '90/tcp': {}, '91/tcp': {} } });
  assert.deepEqual(after('VOLUME /a /$V', { Volumes: { '/z': {} } }), { Volumes: { '/z': {}, '/a': {}, '/val': {} } });
  assert.deepEqual(after('VOLUME ["/a b"]'), { Volumes: { '/a b': {} } });
  assert.deepEqual(after('USER $V:1'), { User: 'val:1' });
  assert.deepEqual(after('STOPSIGNAL RTMIN+3'), { StopSignal: 'RTMIN+3' });
  assert.deepEqual(after('CMD echo $V', { Shell: ['/s'] }), { Shell: ['/s'], Cmd: ['/s', 'echo $V'] });
  assert.deepEqual(after('CMD ["a", "b"]'), { Cmd: ['a', 'b'] });
  assert.deepEqual(after('SHELL ["/b", "-c"]'), { Shell: ['/b', '-c'] });
  assert.deepEqual(after('HEALTHCHECK --interval=5s --retries=2 CMD a b'), { Healthcheck: { Test: ['CMD-SHELL', 'a b'], Interval: 5e9, Retries: 2 } });
  assert.deepEqual(after('HEALTHCHECK NONE'), { Healthcheck: { Test: ['NONE'] } });
  assert.deepEqual(after('ONBUILD RUN $V', { OnBuild: ['USER 1'] }), { OnBuild: ['USER 1', 'RUN $V'] });
});

test('an entrypoint takes a command of the base with it, and leaves one of its own stage', () => {
  const config = { Cmd: ['a'] };
  assert.deepEqual(withEntrypoint(config, line('ENTRYPOINT ["b"]'), false).config, { Entrypoint: ['b'] });
  assert.deepEqual(withEntrypoint(config, line('ENTRYPOINT b'), true).config, { Entrypoint: ['/bin/sh', '-c', 'b'], Cmd: ['a'] });
});

test('a working folder counts from the one before', () => {
  const at = (text: string, WorkingDir = ''): string => workingDir({ WorkingDir }, line(`WORKDIR ${text}`), variables);
  assert.deepEqual([at('a'), at('b/../$V', '/a'), at('/x/', '/a'), at('../../..', '/a')], ['/a', '/a/val', '/x', '/']);
});

test('what an instruction does not take is said in its own words', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'ENV A': /^expected NAME=value, found 'A'$/, 'ENV A=1 B': /found 'B'$/, 'ENV =1': /NAME=value/, 'EXPOSE 0': /'0' is no port/, 'EXPOSE 70000': /no port/, 'EXPOSE 9-8': /no port/,
    'EXPOSE a': /'a' is no port/, 'VOLUME a': /^expected an absolute path, found 'a'$/, 'USER $NONE': /^'\$NONE' is empty$/, 'STOPSIGNAL nope': /invalid signal 'nope'/,
    'SHELL a': /^expected a JSON list of words$/, 'HEALTHCHECK what': /^expected NONE or CMD/, 'HEALTHCHECK --interval=x CMD a': /^expected a duration/,
    'ONBUILD FROM a': /^FROM cannot be done on build/, 'ONBUILD WHAT a': /^WHAT cannot be done/,
  };
  for (const [text, message] of Object.entries(refused)) assert.throws(() => after(text), { name: 'DelosError', message }, text);
});
