import fs from 'node:fs';
import path from 'node:path';
import { buildImage, type BuildOptions } from '../../dockerfile/build.ts';
import type { Report } from '../../dockerfile/stage-build.ts';
import { badFlag } from '../../everyday/refusal.ts';
import { openStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { defaultNetwork } from '../../network/record.ts';
import { parsePlatform } from '../../registry/platform.ts';
import { shown } from '../../registry/shown.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { parseEnvironment, parseLabels, splitPair } from '../../vocabulary/key-value.ts';
import { parseSignal } from '../../vocabulary/signal.ts';
import { buildCommands, sweepBuilds } from './build-container.ts';
import { openContext } from './build-context.ts';
import type { buildFlags } from './build-flags.ts';
import { readSecrets } from './build-secrets.ts';
import { placesOf, type globalFlags } from './context.ts';
import { creationTime, newName } from './new-image.ts';
import { showProgress } from './transfer-progress.ts';

type Flags = Values<typeof buildFlags>;

/** Of a build that fails, whatever the reason; docker's. */
const FAILED = 1;

/** What a command that fails in a quiet build has written is shown, this much of it at most, in bytes. */
const MOST_KEPT = 1 << 20;

/** `delos build`. Prints the ID of the image; all else goes to stderr. */
export async function run({ flags, globals, positional: [word = ''] }: Invocation<typeof buildFlags, typeof globalFlags>): Promise<number> {
  const wishes = wishesOf(flags);
  const places = placesOf(globals);
  const store = openStore(places.data);
  using stop = stopOnSignals();
  const output = new StepOutput(flags.quiet);
  try {
    await sweepBuilds(places);
    using opened = await openContext(store, word, flags.file);
    using commands = buildCommands(places, path.join(store.root, 'build'), (_, data) => output.write(data));
    const { dockerfile, context } = opened;
    const { id } = await buildImage(store, {
      ...wishes, dockerfile, ...(context !== undefined && { context }), report: reportTo(output), run: commands.run, signal: stop.signal,
      ...(!flags.quiet && { onPull: showProgress(process.stderr) }),
    });
    if (flags.iidfile !== undefined) writeIidfile(flags.iidfile, id);
    process.stdout.write(`${id}\n`);
    return 0;
  } catch (error) {
    const told = stop.signal.aborted ? stop.signal.reason as unknown : error;
    if (!(told instanceof DelosError)) throw told;
    output.failed();
    process.stderr.write(`delos: build: ${told.message}\n`);
    return stop.exitCode ?? FAILED;
  }
}

type Wishes = Omit<BuildOptions, 'dockerfile' | 'context' | 'report' | 'run' | 'onPull' | 'signal'>;

/** Read before anything is done. @throws DelosError bad-usage, bad-reference, unsupported */
function wishesOf(flags: Flags): Wishes {
  const { progress, platform, target } = flags;
  if (progress !== 'auto' && progress !== 'plain') throw badFlag('progress', progress, 'expected auto or plain');
  const isRoot = process.geteuid?.() === 0;
  const network = flags.network ?? (isRoot ? defaultNetwork : 'none');
  checkNetwork(network, isRoot);
  const environment = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const buildArgs = new Map(parseEnvironment(flags['build-arg'], environment).map((text) => [splitPair(text).key, splitPair(text).value ?? ''] as const));
  return {
    names: flags.tag.flatMap(newName), buildArgs, secrets: readSecrets(flags.secret), labels: Object.entries(parseLabels('label', flags.label)), usesCache: !flags['no-cache'], pulls: flags.pull, network,
    ...(target !== undefined && { target }), ...(platform !== undefined && { platform: parsePlatform(platform) }), ...epochOf(buildArgs),
  };
}

function checkNetwork(network: string, isRoot: boolean): void {
  if (network.startsWith('container:')) throw badFlag('network', network, 'expected bridge, none, host or a network that was created');
  if (network === 'none' || network === 'host' || isRoot) return;
  throw new DelosError('unsupported', `--network ${network}: it takes root to connect to a bridge; an ordinary user can have none or host`);
}

/** The argument goes before the environment, as with docker. */
function epochOf(buildArgs: ReadonlyMap<string, string>): { epoch?: Date } {
  const name = 'SOURCE_DATE_EPOCH';
  const given = buildArgs.get(name);
  if (given === undefined) return process.env[name] === undefined || process.env[name] === '' ? {} : { epoch: creationTime() };
  if (!/^\d{1,12}$/.test(given)) throw badFlag('build-arg', `${name}=${shown(given)}`, 'expected seconds since 1970');
  return { epoch: new Date(Number(given) * 1000) };
}

function writeIidfile(file: string, id: string): void {
  try {
    fs.writeFileSync(file, id);
  } catch (cause) {
    throw new DelosError('io', `--iidfile ${file}: cannot be written: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}

/** Where steps and the output of commands go: to stderr as they come; in a quiet build what a command writes is kept for the case that it fails. */
class StepOutput {
  readonly #isQuiet: boolean;
  #kept: Buffer[] = [];
  #length = 0;

  constructor(isQuiet: boolean) {
    this.#isQuiet = isQuiet;
  }

  line(text: string): void {
    this.#kept = [];
    this.#length = 0;
    if (!this.#isQuiet) process.stderr.write(`${text}\n`);
  }

  write(data: Buffer): void {
    if (!this.#isQuiet) return void process.stderr.write(data);
    this.#kept.push(data);
    for (this.#length += data.length; this.#length > MOST_KEPT && this.#kept.length > 1;) this.#length -= this.#kept.shift()?.length ?? 0;
    return undefined;
  }

  failed(): void {
    for (const data of this.#kept) process.stderr.write(data);
  }
}

function reportTo(output: StepOutput): Report {
  return {
    step: (label, text, cached) => output.line(`[${label}] ${shown(text.split('\n')[0] ?? '')}${cached ? ': CACHED' : ''}`),
    warning: (text) => process.stderr.write(`delos: build: ${text}\n`),
  };
}

/** Stops the build at a signal that asks for it; the exit code is then the shell's for it. */
function stopOnSignals(): Disposable & { readonly signal: AbortSignal; readonly exitCode: number | undefined } {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const handlers = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const stop = (): void => {
      exitCode = 128 + parseSignal(name).number;
      controller.abort(new DelosError('interrupted', `stopped by ${name}`));
    };
    process.on(name, stop);
    return [name, stop] as const;
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]: () => {
      for (const [name, stop] of handlers) process.off(name, stop);
    },
  };
}
