import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findStage, stagesOf, type Stages } from './stages.ts';
import { parseDockerfile } from './syntax.ts';

function read(source: string, given: Readonly<Record<string, string>> = {}): Stages {
  return stagesOf(parseDockerfile(source, 'D'), 'D', (name) => (Object.hasOwn(given, name) ? given[name] : undefined));
}

const bases = (stages: Stages): string[] => stages.stages.map(({ base, name = '-', platform = '-' }) => [typeof base === 'string' ? base : `stage ${base.index}`, name, platform].join(' '));

test('stages by name, in any case, and by number', () => {
  const stages = read('FROM a AS One\nRUN x\nFROM one as two\nFROM Two\nFROM two:1');
  assert.deepEqual(bases(stages), ['a one -', 'stage 0 two -', 'stage 1 - -', 'two:1 - -']);
  assert.equal(findStage(stages.stages, 'TWO')?.index, 1);
  assert.equal(findStage(stages.stages, '2')?.index, 2);
  assert.equal(findStage(stages.stages, '7'), undefined);
});

test('ARG before FROM: what was given goes before what it says; others are known to nobody', () => {
  const source = 'ARG V=1 W=$V-x\nARG X\nFROM --platform=$TARGETPLATFORM a:$V-${W}${X:-no}\nARG V\nFROM b$Y';
  assert.deepEqual(bases(read(source, { TARGETPLATFORM: 'linux/arm64' })), ['a:1-1-xno - linux/arm64', 'b - -']);
  assert.deepEqual(bases(read(source, { V: '2', X: 'yes', Y: 'z' })), ['a:2-2-xyes - -', 'b - -']);
});

test('what cannot be', () => {
  const refused: Readonly<Record<string, string>> = {
    'ARG A': 'D: expected a FROM',
    'RUN x\nFROM a': 'D:1: RUN before the first FROM: only ARG may stand there',
    'FROM a b': 'D:1: FROM a b: expected FROM image [AS name]',
    'FROM a AS': 'D:1: FROM a AS: expected FROM image [AS name]',
    'FROM a AS 1x': "D:1: FROM a AS 1x: '1x' is no name for a stage: expected a letter, then letters, digits, '-', '_' and '.'",
    'FROM a AS x\nFROM b AS X': 'D:2: FROM b AS X: there is a stage x already',
    'FROM $NONE': 'D:1: FROM $NONE: the name of the image, $NONE, is empty',
    'FROM --x=y a': 'D:1: FROM --x=y a: unknown flag --x: FROM knows --platform',
    'ARG 1=2\nFROM a': "D:1: ARG 1=2: expected NAME or NAME=value, found '1=2'",
  };
  for (const [source, message] of Object.entries(refused)) assert.throws(() => read(source), { code: 'bad-dockerfile', message }, source);
});
