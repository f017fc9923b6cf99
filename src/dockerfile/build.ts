import { takeLease } from '../images/lease.ts';
import { obtainImage } from '../images/pull.ts';
import type { OnProgress } from '../images/progress.ts';
import type { ImageRecord } from '../images/records.ts';
import type { ImageStore } from '../images/store.ts';
import { DelosError } from '../lib/errors.ts';
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from '../registry/platform.ts';
import type { Reference } from '../registry/reference.ts';
import { shown } from '../registry/shown.ts';
import { StepCache } from './cache.ts';
import type { RunCommand } from './command.ts';
import type { Variables } from './expansion.ts';
import { placed } from './failure.ts';
import { ignoreNothing, type Ignored } from './ignore.ts';
import { LayerView } from './layer-view.ts';
import type { Source } from './source-files.ts';
import { StageBuild, type Report, type Surroundings } from './stage-build.ts';
import { findStage, stagesOf, type Stage, type Stages } from './stages.ts';
import { emptyState, imageOf, stateOf, viewOf, type State } from './state.ts';
import { parseDockerfile, summaryOf, type Instruction } from './syntax.ts';

export interface BuildOptions {
  readonly dockerfile: { readonly name: string; readonly text: string };
  /** A folder, absolute; nothing when there are no files to be copied. */
  readonly context?: { readonly folder: string; readonly ignored: Ignored };
  readonly names: readonly Reference[];
  readonly buildArgs: ReadonlyMap<string, string>;
  /** By id: what `RUN --mount=type=secret` gets. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly labels: readonly (readonly [string, string])[];
  /** A stage by name or number; the last by default. */
  readonly target?: string;
  readonly usesCache: boolean;
  /** Ask registries for the images of FROM in any case. */
  readonly pulls: boolean;
  /** Of containers: `none`, `host` or a network with a bridge. */
  readonly network: string;
  /** The host's by default. */
  readonly platform?: Platform;
  /** When all that is made says it was made: SOURCE_DATE_EPOCH. */
  readonly epoch?: Date;
  readonly report: Report;
  readonly run: RunCommand;
  readonly onPull?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Builds an image as a Dockerfile says. What its steps depend on is held against earlier builds; a step that fails leaves no image, but
 * those before it are not done again the next time.
 * @throws DelosError bad-dockerfile, build-failed, and what pulling, copying and storing throw, with the place in the Dockerfile
 */
export async function buildImage(store: ImageStore, options: BuildOptions): Promise<ImageRecord> {
  using lease = takeLease(store);
  const { dockerfile: { name, text }, names, target, labels, buildArgs } = options;
  const cache = new StepCache(store, lease);
  cache.sweep();
  const automatic = platformVariables(options.platform ?? hostPlatform());
  const stages = stagesOf(parseDockerfile(text, name), name, (variable) => buildArgs.get(variable) ?? automatic(variable));
  const wanted = target === undefined ? stages.stages.at(-1) as Stage : targetOf(stages, target);
  warnOfUnused(options, stages);
  const build = new Build(stages, options, { store, lease, cache, automatic });
  const built = await build.stage(wanted);
  for (const stage of labels.length > 0 ? [built] : []) await stage.label(labels);
  const state = built.state.created === undefined ? { ...built.state, created: (options.epoch ?? new Date()).toISOString() } : built.state;
  return await imageOf(store, lease, state, names);
}

function targetOf({ stages }: Stages, target: string): Stage {
  const found = findStage(stages, target);
  if (found !== undefined) return found;
  const names = stages.flatMap(({ name }) => name ?? []);
  throw new DelosError('bad-usage', `there is no stage ${shown(target)}: ${names.length === 0 ? 'the Dockerfile names none' : `expected one of ${names.join(', ')}`}`);
}

/** Docker's, for ARG and FROM. */
function platformVariables(target: Platform): Variables {
  const of = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)], [`${prefix}OS`, platform.os], [`${prefix}ARCH`, platform.architecture], [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
  const known = new Map([...of('TARGET', target), ...of('BUILD', hostPlatform())]);
  return (name) => known.get(name);
}

/** Of `--build-arg`, those that no ARG names are most likely misspelt. */
function warnOfUnused({ buildArgs, report }: BuildOptions, { stages, globals }: Stages): void {
  const declared = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'ARG').flatMap(({ text }) => text.split(/\s+/)));
  const known = new Set([...globals.keys(), ...declared.map((word) => word.replace(/=.*$/s, ''))]);
  const unused = [...buildArgs.keys()].filter((name) => !known.has(name) && !/^(https?|ftp|no|all)_proxy$|^SOURCE_DATE_EPOCH$/i.test(name));
  if (unused.length > 0) report.warning(`no ARG names ${unused.map((name) => `--build-arg ${shown(name)}`).join(', ')}`);
}

/** Stages that are built as they are needed, each once. */
class Build {
  readonly #stages: Stages;
  readonly #options: BuildOptions;
  readonly #base: Pick<Surroundings, 'store' | 'lease' | 'cache' | 'automatic'>;
  readonly #done = new Map<Stage, StageBuild>();
  readonly #images = new Map<string, State>();

  constructor(stages: Stages, options: BuildOptions, base: Pick<Surroundings, 'store' | 'lease' | 'cache' | 'automatic'>) {
    this.#stages = stages;
    this.#options = options;
    this.#base = base;
  }

  async stage(stage: Stage): Promise<StageBuild> {
    const known = this.#done.get(stage);
    if (known !== undefined) return known;
    if (typeof stage.base !== 'string') await this.stage(stage.base);
    for (const other of this.#copiedFrom(stage)) await this.stage(other);
    const base = await this.#baseOf(stage);
    const { OnBuild: triggers = [], ...config } = base.config;
    const instructions = [...triggers.flatMap((line) => triggered(stage.from, line)), ...stage.instructions];
    const label = this.#labelOf(stage, instructions.length + 1);
    this.#options.report.step(label(1), summaryOf(stage.from), false);
    const build = new StageBuild(this.#around(stage), { ...base, config }, label, typeof stage.base === 'string' ? undefined : this.#done.get(stage.base)?.args);
    for (const instruction of instructions) await build.carryOut(instruction);
    this.#done.set(stage, build);
    return build;
  }

  #labelOf({ name, index }: Stage, count: number): (step: number) => string {
    const shownName = name ?? (this.#stages.stages.length > 1 ? `stage ${index}` : '');
    return (step) => `${shownName === '' ? '' : `${shownName} `}${step}/${count}`;
  }

  #copiedFrom({ index, instructions }: Stage): Stage[] {
    const names = instructions.flatMap(({ flags }) => flags.flatMap(({ name, value }) => (name === 'from' && value !== undefined ? [value] : [])));
    return names.flatMap((name) => findStage(this.#stages.stages.slice(0, index), name) ?? []);
  }

  async #baseOf({ base, platform, from }: Stage): Promise<State> {
    if (typeof base !== 'string') return (this.#done.get(base) as StageBuild).state;
    const wanted = platform === undefined ? this.#options.platform : parsePlatform(platform);
    try {
      return base === 'scratch' ? emptyState(wanted ?? hostPlatform()) : await this.#image(base, wanted);
    } catch (error) {
      throw placed(from, summaryOf(from), error);
    }
  }

  async #image(name: string, platform: Platform | undefined): Promise<State> {
    const key = `${name} ${platform === undefined ? '' : formatPlatform(platform)}`;
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const { pulls, onPull, signal } = this.#options;
    const { store, lease } = this.#base;
    const image = await obtainImage(store, name, pulls ? 'always' : 'missing', {
      ...(platform !== undefined && { platform }), ...(onPull !== undefined && { onProgress: onPull }), ...(signal !== undefined && { signal }),
    });
    const state = await stateOf(store, lease, image);
    this.#images.set(key, state);
    return state;
  }

  #around({ index }: Stage): Surroundings {
    const { report, run, usesCache, network, epoch, buildArgs, secrets, signal } = this.#options;
    return {
      ...this.#base, report, run, usesCache, network, epoch, buildArgs, globals: this.#stages.globals, ...(signal !== undefined && { signal }),
      secret: (id) => secrets.get(id),
      source: (name) => (name === undefined ? this.#contextSource() : this.#otherSource(name, index)),
    };
  }

  async #contextSource(): Promise<Source & Disposable> {
    const { context } = this.#options;
    const view = new LayerView(context === undefined ? [] : [context.folder]);
    return { name: 'the context', view, ignored: context?.ignored ?? ignoreNothing, keepsOwners: false, [Symbol.dispose]: () => view[Symbol.dispose]() };
  }

  async #otherSource(name: string, index: number): Promise<Source & Disposable> {
    const stage = findStage(this.#stages.stages.slice(0, index), name);
    if (stage === undefined && findStage(this.#stages.stages, name) !== undefined) throw new DelosError('bad-usage', `--from=${shown(name)}: that stage is not before this one`);
    const state = stage === undefined ? await this.#image(name, this.#options.platform) : (await this.stage(stage)).state;
    const view = viewOf(this.#base.store, state);
    return { name: `${stage === undefined ? 'image' : 'stage'} ${shown(name)}`, view, ignored: ignoreNothing, keepsOwners: true, [Symbol.dispose]: () => view[Symbol.dispose]() };
  }
}

/** An instruction that the base left for this build. */
function triggered(from: Instruction, line: string): Instruction[] {
  return parseDockerfile(line, from.file).map((instruction) => ({ ...instruction, line: from.line }));
}
