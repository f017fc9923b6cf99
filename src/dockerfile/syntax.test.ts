import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import { parseDockerfile } from './syntax.ts';

const brief = (source: string): string[] => parseDockerfile(source, 'D').map(({ line, name, flags, text }) =>
  [line, name, ...flags.map((flag) => `--${flag.name}=${flag.value ?? ''}`), text].join(' '));

test('instructions, comments, blank lines, and lines that go on', () => {
  const source = [
    '# just a comment', '', '  from scratch', 'RUN a \\', '  # within', '', '  && b \\  ', '  && c', 'Env A=1', '\tLABEL x=\\\\', 'CMD ["a",\\', '"b"]',
  ].join('\n');
  assert.deepEqual(brief(source), ['3 FROM scratch', '4 RUN a   && b   && c', '9 ENV A=1', '10 LABEL x=\\\\', '11 CMD ["a","b"]']);
  assert.deepEqual(brief('\uFEFFFROM a\r\nRUN b\\\r\nc\r\n'), ['1 FROM a', '2 RUN bc']);
});

test('directives stand above all else', () => {
  assert.deepEqual(brief('# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN dir c:\\ `\nmore'), ['3 FROM a', '4 RUN dir c:\\ more']);
  // Behind a comment it is one itself.
  assert.deepEqual(brief('# hello\n# escape=`\nFROM a\\\nb'), ['3 FROM ab']);
  assert.throws(() => brief('# escape=x\nFROM a'), { message: 'D:1: escape=x: expected a backslash or a backtick' });
  assert.throws(() => brief('# escape=`\n# escape=`\nFROM a'), { message: 'D:2: the directive escape is there twice' });
});

test('flags stand in front of the arguments', () => {
  assert.deepEqual(brief('COPY --from=b --link --chown="a:b" x --y'), ['1 COPY --from=b --link= --chown=a:b x --y']);
  assert.deepEqual(brief('CMD --x y'), ['1 CMD --x y']);
});

test('documents: several, quoted, without tabs; not in quotes and not in a list', () => {
  const [run, copy, plain, list] = parseDockerfile([
    'RUN <<A cat > x && cat <<-"B B"', 'a $X', '# no comment', 'A', '\t\tb\\', '\tB B', 'COPY <<f <<\'g\' /d', '1', 'f', '2', 'g', 'RUN echo "<<no"', 'RUN ["<<A"]',
  ].join('\n'), 'D');
  assert.deepEqual(run?.heredocs, [
    { name: 'A', word: '<<A', content: 'a $X\n# no comment\n', expand: true }, { name: 'B B', word: '<<-"B B"', content: 'b\\\n', expand: false },
  ]);
  assert.deepEqual(copy?.heredocs.map(({ name, content, expand }) => [name, content, expand]), [['f', '1\n', true], ['g', '2\n', false]]);
  assert.deepEqual([plain?.heredocs, list?.heredocs], [[], []]);
  assert.throws(() => parseDockerfile('FROM a\nRUN <<E\nx', 'D'), { message: 'D:2: the document <<E has no end: expected a line E' });
});

test('what is no instruction is told with its place, and what was probably meant', () => {
  const refused: Readonly<Record<string, string>> = {
    'FROM a\n\nRNU x': 'D:3: unknown instruction RNU: did you mean RUN?',
    'FROM a\nEXEC x': 'D:2: unknown instruction EXEC',
    'FROM a\nRUN': 'D:2: RUN: expected arguments',
    'FROM a\nCOPY --from=x': 'D:2: COPY: expected arguments',
  };
  for (const [source, message] of Object.entries(refused)) {
    assert.throws(() => parseDockerfile(source, 'D'), (error) => error instanceof DelosError && error.code === 'bad-dockerfile' && error.message === message, source);
  }
});
