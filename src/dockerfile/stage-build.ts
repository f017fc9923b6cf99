import type { RunConfig } from '../images/config-change.ts';
import { chainIds, ensureLayer } from '../images/layers.ts';
import type { Lease } from '../images/lease.ts';
import { putLayer } from '../images/put-layer.ts';
import { timeOf } from '../layers/metadata.ts';
import { DelosError } from '../lib/errors.ts';
import type { Digest } from '../registry/digest.ts';
import { formatPlatform } from '../registry/platform.ts';
import { shown } from '../registry/shown.ts';
import { byteString } from '../tar/byte-string.ts';
import { tarEntry } from '../tar/entry.ts';
import { mergeEnvironment } from '../vocabulary/key-value.ts';
import type { StepCache } from './cache.ts';
import { commandOf, packWritten, removeMountPoints, type RunCommand } from './command.ts';
import { ownerIn, readCopy } from './copy-instruction.ts';
import { Copy, folderItems, readText } from './copy.ts';
import { expandWord, type Variables } from './expansion.ts';
import { placed } from './failure.ts';
import type { LayerView } from './layer-view.ts';
import { keyOfMount, prepareMounts, type MountSources } from './prepared-mounts.ts';
import { parseRunMount, type RunMount } from './run-mount.ts';
import { downloadFile, type RemoteFile } from './remote-file.ts';
import { settings, toldPairs, withEntrypoint, withLabels, workingDir } from './settings.ts';
import { argumentsOf } from './stages.ts';
import { diffIdsOf, treesOf, viewOf, type BuiltLayer, type State } from './state.ts';
import { summaryOf, type Instruction } from './syntax.ts';
import { contentDigest, keyOf, lastOfEach, TreeArchive } from './tree-archive.ts';

/** Is told how a build goes on. */
export interface Report {
  /** @param label which step of how many: `build 2/5` @param cached it was done before */
  step(label: string, text: string, cached: boolean): void;
  warning(text: string): void;
}

/** What all stages of a build have in common. */
export interface Surroundings extends MountSources {
  readonly lease: Lease;
  readonly cache: StepCache;
  readonly report: Report;
  readonly run: RunCommand;
  readonly usesCache: boolean;
  readonly network: string;
  /** SOURCE_DATE_EPOCH: when all that is made says it was made. */
  readonly epoch: Date | undefined;
  /** What `--build-arg` says. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Variables that are there without a value from anybody: TARGETPLATFORM and the like. */
  readonly automatic: Variables;
  /** Of the ARGs above the first FROM. */
  readonly globals: ReadonlyMap<string, string | undefined>;
}

/** Variables that a RUN gets without an ARG, and that make no difference to what it does. */
const proxies = new Set(['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]));

/** What of a step makes it what it is, what it makes of the configuration, and how its layer is made. */
interface Step {
  readonly told: string;
  readonly key: unknown;
  readonly config?: RunConfig;
  readonly author?: string;
  readonly make?: (created: Date) => Promise<BuiltLayer | undefined>;
  /** Asked when it is made: whether the key still tells what it was made of. */
  readonly isSure?: () => boolean;
}

/** What a RUN is to be. */
interface RunWish {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly script: string | undefined;
  readonly network: string;
  readonly mounts: readonly RunMount[];
}

/** Carries out the instructions of one stage. */
export class StageBuild {
  state: State;
  readonly #around: Surroundings;
  readonly #label: (step: number) => string;
  /** The arguments that are declared so far; a stage that is based on this one has them, too. */
  readonly args: Map<string, string>;
  #hasCommand = false;
  #steps = 1;

  /** @param label of a step, by its number @param args of the stage it is based on */
  constructor(around: Surroundings, state: State, label: (step: number) => string, args: ReadonlyMap<string, string> = new Map()) {
    this.args = new Map(args);
    this.#around = around;
    this.state = state;
    this.#label = label;
  }

  /** @throws DelosError with the place of the instruction */
  async carryOut(instruction: Instruction): Promise<void> {
    this.#around.signal?.throwIfAborted();
    this.#steps++;
    const summary = summaryOf(instruction);
    try {
      await this.#carryOut(instruction, summary);
    } catch (error) {
      throw placed(instruction, summary, error);
    }
  }

  /** `--label`. */
  async label(pairs: readonly (readonly [string, string])[]): Promise<void> {
    const told = toldPairs('LABEL', pairs);
    this.#steps++;
    await this.#step(told, { told, key: ['LABEL', this.state.config, pairs], config: withLabels(this.state.config, pairs) });
  }

  async #carryOut(instruction: Instruction, summary: string): Promise<void> {
    const { name } = instruction;
    if (name === 'ARG') return this.#declare(instruction, summary);
    if (name === 'RUN') return this.#step(summary, await this.#runStep(instruction));
    if (name === 'COPY' || name === 'ADD') return this.#copy(instruction, summary);
    return this.#step(summary, this.#settingStep(instruction));
  }

  readonly #variables: Variables = (name) => {
    const entry = (this.state.config.Env ?? []).find((variable) => variable.startsWith(`${name}=`));
    return entry === undefined ? this.args.get(name) : entry.slice(name.length + 1);
  };

  #declare(instruction: Instruction, summary: string): void {
    const { buildArgs, globals, automatic, report } = this.#around;
    for (const { name, value } of argumentsOf(instruction, this.#variables, (word) => buildArgs.get(word))) {
      const found = value ?? globals.get(name) ?? automatic(name);
      if (found !== undefined) this.args.set(name, found);
    }
    report.step(this.#label(this.#steps), summary, false);
  }

  #settingStep(instruction: Instruction): Step {
    const { name } = instruction;
    const { config } = this.state;
    if (name === 'WORKDIR') return this.#workdirStep(instruction);
    if (name === 'MAINTAINER') return { told: `MAINTAINER ${instruction.text}`, key: [name, config, instruction.text], author: instruction.text };
    const setting = settings[name];
    if (setting === undefined && name !== 'ENTRYPOINT') throw new Error(`assertion: ${name} has a place`);
    const { config: after, told } = setting === undefined ? withEntrypoint(config, instruction, this.#hasCommand) : setting(config, instruction, this.#variables);
    if (name === 'CMD') this.#hasCommand = true;
    return { told, key: [name, config, after], config: after };
  }

  #workdirStep(instruction: Instruction): Step {
    const { config } = this.state;
    const folder = workingDir(config, instruction, this.#variables);
    return { told: `WORKDIR ${folder}`, key: ['WORKDIR', config, folder], config: { ...config, WorkingDir: folder }, make: (created) => this.#makeFolder(folder, created) };
  }

  async #makeFolder(folder: string, created: Date): Promise<BuiltLayer | undefined> {
    using below = this.#view();
    const { path, kind } = below.resolve(byteString(folder));
    if (kind === 'directory') return undefined;
    if (kind !== undefined) throw new DelosError('bad-usage', `${shown(folder)} is no folder in the image`);
    const mtime = timeOf(BigInt(created.getTime()) * 1_000_000n);
    return await this.#putLayer(new TreeArchive().bytes(folderItems(below, path, new Set(), (name) => tarEntry({ name, type: 'directory', mtime }))));
  }

  async #runStep(instruction: Instruction): Promise<Step> {
    const { config } = this.state;
    const { args, script } = commandOf(instruction, config);
    const { network, mounts } = this.#runFlags(instruction);
    const mountKeys: unknown[] = [];
    for (const mount of mounts) mountKeys.push(await keyOfMount(this.#around, mount));
    const scope = [...this.args].map(([name, value]) => `${name}=${value}`);
    const { Env = [], User = '', WorkingDir = '' } = config;
    const env = mergeEnvironment(scope, Env);
    const told = `RUN ${scope.length > 0 ? `|${scope.length} ${scope.join(' ')} ` : ''}${script === undefined ? args.join(' ') : script}`;
    return { told, key: ['RUN', args, script ?? null, env, User, WorkingDir, network, ...mountKeys], make: () => this.#runCommand({ args, env, script, network, mounts }) };
  }

  #runFlags({ flags, escape }: Instruction): { readonly network: string; readonly mounts: readonly RunMount[] } {
    let { network } = this.#around;
    const mounts: RunMount[] = [];
    for (const { name, value = '' } of flags) {
      if (name === 'mount') {
        mounts.push(parseRunMount(expandWord(value, this.#variables, escape), this.state.config.WorkingDir ?? '/'));
        continue;
      }
      if (name !== 'network') throw new DelosError('unsupported', `--${name} is not supported for RUN, only --mount and --network`);
      if (!['default', 'none', 'host'].includes(value)) throw new DelosError('bad-usage', `--network=${shown(value)}: expected default, none or host`);
      if (value !== 'default') network = value;
    }
    return { network, mounts };
  }

  async #runCommand({ args, env, script, network, mounts }: RunWish): Promise<BuiltLayer | undefined> {
    const { store, run, buildArgs, epoch, signal } = this.#around;
    using below = this.#view();
    const proxied = [...buildArgs].filter(([name]) => proxies.has(name)).map(([name, value]) => `${name}=${value}`);
    const { User = '', WorkingDir = '' } = this.state.config;
    using prepared = await prepareMounts(this.#around, mounts);
    const command = {
      mounts: prepared.mounts,
      lowers: treesOf(store, this.state), args, env: mergeEnvironment(proxied, env, prepared.env), user: User, workingDir: WorkingDir, network, ...(script !== undefined && { script }),
      passwd: readText(below, 'etc/passwd'), group: readText(below, 'etc/group'),
    };
    return await run(command, async (written) => {
      removeMountPoints(written, below);
      const tar = packWritten(written, { ...clamp(epoch), ...(signal !== undefined && { signal }) });
      return tar === undefined ? undefined : this.#putLayer(tar);
    }, signal);
  }

  async #copy(instruction: Instruction, summary: string): Promise<void> {
    const { from, owner, wish, remote, checksum, told } = readCopy(instruction, this.#variables, this.state.config.WorkingDir ?? '');
    using source = await this.#around.source(from);
    using below = this.#view();
    using stack = new DisposableStack();
    const downloads: RemoteFile[] = [];
    for (const url of remote) downloads.push(stack.use(await downloadFile(this.#around.store, url, checksum, this.#around.signal)));
    const owned = { ...wish, ...(owner !== undefined && { owner: ownerIn(owner, below) }) };
    const copyAt = (created: Date): Copy => new Copy(source, below, { ...owned, downloads, created });
    const digest = (): Promise<Digest> => contentDigest(lastOfEach(() => copyAt(new Date(0)).items(false)), this.#around.signal);
    const content = await digest();
    let copied = content;
    const make = async (created: Date): Promise<BuiltLayer | undefined> => {
      const archive = new TreeArchive(clamp(this.#around.epoch).clampSeconds);
      const layer = await this.#putLayer(archive.bytes(lastOfEach(() => copyAt(created).items())));
      copied = wish.unpacks ? await digest() : archive.digest();
      return archive.count === 0 ? undefined : layer;
    };
    // Somebody may write in the context meanwhile.
    await this.#step(summary, { told, key: [instruction.name, owned, content], make, isSure: () => copied === content });
  }

  #view(): LayerView {
    return viewOf(this.#around.store, this.state);
  }

  async #putLayer(tar: AsyncIterable<Uint8Array>): Promise<BuiltLayer> {
    const { store, lease, signal } = this.#around;
    const { blob, diffId } = await putLayer(store, lease, tar, signal);
    const diffIds = [...diffIdsOf(this.state), diffId];
    await lease.add(chainIds(diffIds).at(-1) as Digest);
    await ensureLayer(store, diffIds, blob.digest, signal === undefined ? {} : { signal });
    return { diffId, blob };
  }

  /** Does a step, unless it was done before. */
  async #step(summary: string, { told, key, config, author, make, isSure = () => true }: Step): Promise<void> {
    const { cache, usesCache, report, epoch } = this.#around;
    const below = diffIdsOf(this.state);
    const whole = keyOf([1, epoch?.toISOString() ?? null, formatPlatform(this.state.platform), chainIds(below).at(-1) ?? null, key]);
    const known = usesCache ? await cache.find(whole, below) : undefined;
    report.step(this.#label(this.#steps), summary, known !== undefined);
    const done = known ?? await this.#do(make, epoch ?? new Date());
    if (known === undefined && isSure()) cache.keep(whole, done, below);
    const { layer, created } = done;
    this.state = {
      ...this.state, ...(config !== undefined && { config }), ...(author !== undefined && { author }), created,
      layers: layer === undefined ? this.state.layers : [...this.state.layers, layer],
      history: [...this.state.history, { created, created_by: told, ...(layer === undefined && { empty_layer: true }) }],
    };
  }

  async #do(make: Step['make'], created: Date): Promise<{ created: string; layer?: BuiltLayer }> {
    const layer = await make?.(created);
    return { created: created.toISOString(), ...(layer !== undefined && { layer }) };
  }
}

function clamp(epoch: Date | undefined): { clampSeconds?: number } {
  return epoch === undefined ? {} : { clampSeconds: epoch.getTime() / 1000 };
}
