// node fuzz/dockerfile.ts [--seconds N] [--seed N]: mutated Dockerfiles and .dockerignores. Each is read to its end and its variables are
// replaced, or it is refused by a DelosError of one line with its place. On a find: seed, error and text, and the exit code 1.
import { commandOf } from '../src/dockerfile/command.ts';
import { readCopy } from '../src/dockerfile/copy-instruction.ts';
import { placed } from '../src/dockerfile/failure.ts';
import { parseIgnore } from '../src/dockerfile/ignore.ts';
import { settings } from '../src/dockerfile/settings.ts';
import { argumentsOf, stagesOf } from '../src/dockerfile/stages.ts';
import { parseDockerfile, type Instruction } from '../src/dockerfile/syntax.ts';
import { DelosError } from '../src/lib/errors.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const pieces: readonly string[] = [
  '# escape=`\n', '# syntax=a\n', 'ARG V=1\n', 'FROM ', 'scratch', ' AS one', '\n', '\\\n', '`\n', 'RUN ', 'COPY --from=one ', 'ADD --chown=1:2 --chmod=755 ', 'ENV ', 'LABEL ', 'A=', 'B ',
  '"x y"', "'", '"', '\\', '$A', '${A', ':-', ':+', ':?', '}', '<<E', '<<-"E F"', '\nE\n', '[', '["a", "b"]', ']', '*', '**', '?', '/', '../', '!', '#', ' ', '\t', '\r', 'WORKDIR ',
  'EXPOSE 1-65535/tcp ', 'HEALTHCHECK --interval=1s CMD ', 'VOLUME ', 'USER ', 'SHELL ', 'ONBUILD ', 'STOPSIGNAL ', 'MAINTAINER ', '--', '=', '\0', '\u2028', '😀', 'http://x', '.git', 'constructor', '__proto__',
];
const whole = 'ARG V=1\nFROM a:$V AS one\nENV A=${V:-"x y"} B=\\$c\nRUN <<E cat \\\n && true\n$A\nE\nCOPY --from=0 a* [b-c]? /d/\nFROM one\nLABEL a=b\nCMD ["x"]\n';

function text(random: Random): string {
  let made = random(3) === 0 ? '' : whole;
  for (let count = random(30); count >= 0; count--) {
    const at = random(made.length + 1);
    made = made.slice(0, at) + (random(4) === 0 ? '' : pick(random, pieces)) + made.slice(at + (random(3) === 0 ? random(12) : 0));
  }
  return made;
}

const variables = (name: string): string | undefined => (name.length % 2 === 0 ? undefined : `<${name}> \${A} "`);

function carryOut(instruction: Instruction): void {
  const { name } = instruction;
  const setting = Object.hasOwn(settings, name) ? settings[name] : undefined;
  if (setting !== undefined) setting({}, instruction, variables);
  else if (name === 'RUN') commandOf(instruction, {});
  else if (name === 'COPY' || name === 'ADD') readCopy(instruction, variables, '/');
  else if (name === 'ARG') argumentsOf(instruction, variables, variables);
}

/** Nothing but a refusal of one line may come out of it. */
function refusing(work: () => void): void {
  try {
    work();
  } catch (error) {
    const told = placed({ file: 'D', line: 1 }, 'it', error);
    if (!(told instanceof DelosError) || /[\n\0]/.test(told.message) || told.message.length > 4000) throw told;
  }
}

function tryOne(random: Random): string {
  const source = text(random);
  current = source;
  refusing(() => {
    for (const instruction of parseDockerfile(source, 'D')) refusing(() => carryOut(instruction));
  });
  refusing(() => void stagesOf(parseDockerfile(source, 'D'), 'D', variables));
  refusing(() => void parseIgnore(source, 'I').has('a/b/c'));
  return source;
}

let current = '';
await campaign('dockerfile', (runs) => `${runs} texts, each read or refused`, (seed) => {
  tryOne(randomFrom(seed));
}, () => JSON.stringify(current));
