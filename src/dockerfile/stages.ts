import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { badDockerfile, placed } from './failure.ts';
import { expandWord, type Variables } from './expansion.ts';
import { summaryOf, type Instruction } from './syntax.ts';
import { rawWords } from './words.ts';

/** What begins with a FROM. */
export interface Stage {
  readonly index: number;
  /** In lower case, as `AS` has it. */
  readonly name?: string;
  readonly from: Instruction;
  /** `scratch`, the name of an image, or another stage. */
  readonly base: string | Stage;
  /** As the flag of FROM says. */
  readonly platform?: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, and the ARGs that stand above them all. */
export interface Stages {
  readonly stages: readonly Stage[];
  readonly globals: ReadonlyMap<string, string | undefined>;
}

const nameForm = /^[a-z][a-z0-9-_.]*$/;

/**
 * Takes a Dockerfile apart.
 * @param given what `--build-arg` and the platform say, which goes before what an ARG says
 * @throws DelosError bad-dockerfile
 */
export function stagesOf(instructions: readonly Instruction[], file: string, given: Variables): Stages {
  const begin = instructions.findIndex(({ name }) => name === 'FROM');
  if (begin < 0) throw new DelosError('bad-dockerfile', `${file}: expected a FROM`);
  const globals = new Map<string, string | undefined>();
  for (const instruction of instructions.slice(0, begin)) addGlobal(globals, instruction, given);
  const variables: Variables = (name) => globals.get(name) ?? (globals.has(name) ? undefined : automatic(name, given));
  const stages: Stage[] = [];
  for (let at = begin; at < instructions.length;) {
    const from = instructions[at] as Instruction;
    const next = instructions.findIndex(({ name }, index) => index > at && name === 'FROM');
    const end = next < 0 ? instructions.length : next;
    stages.push(stageOf(from, instructions.slice(at + 1, end), stages, variables));
    at = end;
  }
  return { stages, globals };
}

function addGlobal(globals: Map<string, string | undefined>, instruction: Instruction, given: Variables): void {
  if (instruction.name !== 'ARG') throw badDockerfile(instruction, `${instruction.name} before the first FROM: only ARG may stand there`);
  for (const { name, value } of argumentsOf(instruction, (word) => globals.get(word), given)) globals.set(name, value);
}

/** The platform can be named in FROM without an ARG. */
function automatic(name: string, given: Variables): string | undefined {
  return /^(TARGET|BUILD)(PLATFORM|OS|ARCH|VARIANT)$/.test(name) ? given(name) : undefined;
}

/**
 * What an ARG declares: names, and their values if there are any.
 * @param given values that go before those it says
 * @throws DelosError bad-dockerfile
 */
export function argumentsOf(instruction: Instruction, variables: Variables, given: Variables): { name: string; value: string | undefined }[] {
  const seen = new Map<string, string | undefined>();
  const known: Variables = (name) => (seen.has(name) ? seen.get(name) : variables(name));
  return rawWords(instruction.text, instruction.escape).map((word) => {
    try {
      const [, name, , value] = /^([A-Za-z_][A-Za-z0-9_]*)(=([^]*))?$/.exec(word) ?? [];
      if (name === undefined) throw new DelosError('bad-usage', `expected NAME or NAME=value, found '${shown(word)}'`);
      const declared = { name, value: given(name) ?? (value === undefined ? undefined : expandWord(value, known, instruction.escape)) };
      seen.set(name, declared.value);
      return declared;
    } catch (error) {
      throw placed(instruction, summaryOf(instruction), error);
    }
  });
}

function stageOf(from: Instruction, instructions: readonly Instruction[], before: readonly Stage[], variables: Variables): Stage {
  try {
    const [image = '', as, name, ...more] = rawWords(from.text, from.escape);
    if (more.length > 0 || (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined))) throw new DelosError('bad-usage', 'expected FROM image [AS name]');
    const unknown = from.flags.find((flag) => flag.name !== 'platform');
    if (unknown !== undefined) throw new DelosError('bad-usage', `unknown flag --${unknown.name}: FROM knows --platform`);
    const platform = from.flags.map(({ value = '' }) => expandWord(value, variables, from.escape)).findLast((text) => text !== '');
    const base = expandWord(image, variables, from.escape);
    if (base === '') throw new DelosError('bad-usage', `the name of the image, ${shown(image)}, is empty`);
    return {
      index: before.length, from, base: before.findLast((stage) => stage.name === base.toLowerCase()) ?? base, instructions,
      ...(name !== undefined && { name: stageName(name, before) }), ...(platform !== undefined && { platform }),
    };
  } catch (error) {
    throw placed(from, summaryOf(from), error);
  }
}

function stageName(text: string, before: readonly Stage[]): string {
  const name = text.toLowerCase();
  if (!nameForm.test(name) || name === 'scratch') throw new DelosError('bad-usage', `'${shown(text)}' is no name for a stage: expected a letter, then letters, digits, '-', '_' and '.'`);
  if (before.some((stage) => stage.name === name)) throw new DelosError('bad-usage', `there is a stage ${name} already`);
  return name;
}

/** The stage of a name or a number among some; undefined when there is none. */
export function findStage(stages: readonly Stage[], text: string): Stage | undefined {
  const named = stages.findLast(({ name }) => name === text.toLowerCase());
  return named ?? (/^\d{1,4}$/.test(text) ? stages[Number(text)] : undefined);
}
