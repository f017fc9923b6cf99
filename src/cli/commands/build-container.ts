import fs from 'node:fs';
import { SIGKILL } from '../../abi/signal.ts';
import { addContainer, listContainers } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import { removeContainer } from '../../containers/end.ts';
import { FrameReader, frame } from '../../containers/frames.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { buildContainer } from '../../containers/start.ts';
import { connectMonitor } from '../../containers/watch.ts';
import type { CommandMount } from '../../dockerfile/prepared-mounts.ts';
import { unpackLayer } from '../../layers/unpack.ts';
import { scriptPath, type Command, type RunCommand } from '../../dockerfile/command.ts';
import { everydayConfig } from '../../everyday/config.ts';
import { everydayNeeds } from '../../everyday/facts.ts';
import { createFlags, type CreateFlags, type RunOptions } from '../../everyday/flags.ts';
import { networkWish } from '../../everyday/network.ts';
import { askedDriver, knownDriver } from '../../images/driver.ts';
import { lockNew, tryLockFile } from '../../images/file-lock.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config } from '../../oci/config/types.ts';
import { jsonText } from '../../runtime/json-text.ts';
import { killContainer } from '../../runtime/kill.ts';
import { readFlags } from '../../vocabulary/flag-reader.ts';
import { randomId, shortId } from '../../vocabulary/names.ts';
import { copyRoot } from './container-folders.ts';
import { ownCommand } from './context.ts';
import { writeEtc } from './etc-files.ts';
import { gatherHostFacts } from './host-facts.ts';
import { ownersInside } from './id-mapping.ts';
import { copiedFrom } from './written-layer.ts';

/** The label of a build's containers: the file that the build has locked as long as it runs. */
const label = 'delos.build';

/** Takes what the commands of a build write. */
export type Output = (stream: 'stdout' | 'stderr', data: Buffer) => void;

/** Runs the commands of one build, each in a container of its own. Disposing of it says that there are no more. */
export interface Commands extends Disposable {
  readonly run: RunCommand;
}

/** @param lockFolder where a build's lock may lie */
export function buildCommands(places: Places, lockFolder: string, output: Output): Commands {
  fs.mkdirSync(lockFolder, { recursive: true, mode: 0o700 });
  const { file, lock } = lockNew(`${lockFolder}/.running`);
  return {
    run: (command, take, signal) => runCommand(places, file, output, command, take, signal),
    [Symbol.dispose]: () => {
      fs.rmSync(file, { force: true });
      lock[Symbol.dispose]();
    },
  };
}

/** Removes the containers of builds that were killed. */
export async function sweepBuilds(places: Places): Promise<void> {
  for (const container of listContainers(places)) {
    const file = container.labels[label];
    if (file !== undefined && isAbandoned(file)) await removeContainer(places, container, true);
  }
}

function isAbandoned(file: string): boolean {
  if (!fs.existsSync(file)) return true;
  using lock = tryLockFile(file);
  if (lock === undefined) return false;
  fs.rmSync(file, { force: true });
  return true;
}

async function runCommand<T>(
  places: Places, lock: string, output: Output, command: Command, take: Parameters<RunCommand>[1], signal: AbortSignal | undefined,
): Promise<T> {
  const { container, config } = await makeContainer(places, lock, command);
  try {
    const exitCode = await runToEnd(places, container, output, signal);
    if (exitCode !== 0) throw new DelosError('build-failed', `exit code ${exitCode}`);
    const mountPoints = (config.mounts ?? []).map(({ destination }) => destination);
    const owner = ownersInside(config);
    const written = copiedFrom(places, container) ?? { upper: fileOf(places, container.id, 'layer/upper'), ...(owner !== undefined && { owner }) };
    return await take({ ...written, mountPoints }) as T;
  } finally {
    await removeContainer(places, container, true);
  }
}

async function makeContainer(places: Places, lock: string, command: Command): Promise<{ container: Container; config: Config }> {
  const id = randomId();
  let config: Config | undefined;
  const container = await addContainer(places, id, `build-${shortId(id)}`, async (name) => {
    for (const folder of ['rootfs', 'layer/upper', 'layer/work', 'empty']) fs.mkdirSync(fileOf(places, id, folder), { recursive: true, mode: 0o755 });
    const options = await optionsOf(places, id, command);
    const isCopied = (askedDriver() ?? knownDriver(places.data))?.driver === 'vfs';
    const lowers = command.lowers.length > 0 ? command.lowers : [fileOf(places, id, 'empty')];
    const etc = writeEtc(places, options, { reference: '', root: { kind: 'folder' }, folders: [] });
    const { env, workingDir, user, passwd, group } = command;
    config = everydayConfig(options, { rootfs: fileOf(places, id, 'rootfs'), env, workingDir, user, passwd, group }, gatherHostFacts(places, everydayNeeds(options), etc));
    fs.writeFileSync(fileOf(places, id, 'config.json'), jsonText(config, 2), { mode: 0o600 });
    if (isCopied) await copyRoot(fileOf(places, id, 'rootfs'), lowers, config);
    const wish = networkWish(options, []);
    return {
      version: 1, id, name, image: 'build', command: command.args, created: new Date().toISOString(), root: isCopied ? { kind: 'copy', lowers } : { kind: 'overlay', lowers, kept: true },
      networks: wish === undefined ? [] : [wish], labels: { [label]: lock }, autoRemove: false, tty: false, openStdin: false, stopSignal: SIGKILL, stopTimeoutSeconds: 0,
      anonymousVolumes: [], flags: {}, starts: 0,
    };
  });
  if (config === undefined) throw new Error('assertion: a container has a configuration');
  return { container, config };
}

/** The flags of `delos run` when none is given, and what the command says. */
async function optionsOf(places: Places, id: string, { args, network, script, mounts }: Command): Promise<RunOptions> {
  const none = readFlags([], createFlags, 'pflag', false).values as unknown as CreateFlags;
  const mount = script === undefined ? [] : [`type=bind,${quoted(`source=${writeScript(fileOf(places, id, 'script'), script)}`)},target=${scriptPath},readonly`];
  const tmpfs = mounts.flatMap((wanted) => (wanted.kind === 'tmpfs' ? [tmpfsFlag(wanted)] : []));
  for (const [index, wanted] of mounts.entries()) {
    const source = await mountSource(wanted, fileOf(places, id, `mount-${index}`));
    if (source === undefined) continue;
    const isReadonly = wanted.kind === 'file' || (wanted.kind !== 'tmpfs' && wanted.readonly);
    mount.push(`type=bind,${quoted(`source=${source}`)},${quoted(`target=${wanted.target}`)}${isReadonly ? ',readonly' : ''}`);
  }
  return { ...none, id, network, mount, tmpfs, command: args };
}

function tmpfsFlag({ target, sizeBytes }: Extract<CommandMount, { kind: 'tmpfs' }>): string {
  return `${target}:exec${sizeBytes === undefined ? '' : `,size=${sizeBytes}`}`;
}

/** What is bound for a mount. @param own a place in the container's own folder, with which it is removed */
async function mountSource(mount: CommandMount, own: string): Promise<string | undefined> {
  if (mount.kind === 'tmpfs') return undefined;
  if (mount.kind === 'folder') return mount.source;
  if (mount.kind === 'tree') {
    fs.mkdirSync(own, { mode: 0o755 });
    await unpackLayer(mount.tar, own, { whiteouts: 'apply', ...(process.geteuid?.() === 0 ? {} : { owners: 'mine', devices: 'skip' }) });
    return `${own}/tree`;
  }
  const { mode, uid, gid } = mount.access;
  fs.writeFileSync(own, mount.content, { mode: 0o600 });
  fs.chmodSync(own, mode);
  if (process.geteuid?.() === 0) fs.chownSync(own, uid, gid);
  return own;
}

/** As --mount takes a field that may hold a comma. */
function quoted(field: string): string {
  return `"${field.replaceAll('"', '""')}"`;
}

function writeScript(file: string, script: string): string {
  fs.writeFileSync(file, script, { mode: 0o755 });
  return file;
}

/** @returns its exit code @throws DelosError interrupted when the signal came first; nobody runs then */
async function runToEnd(places: Places, container: Container, output: Output, signal: AbortSignal | undefined): Promise<number> {
  signal?.throwIfAborted();
  const waiting = await buildContainer(places, container.id, { direct: false, detached: false, command: ownCommand(places) });
  const drained = await follow(places, container, output);
  const kill = (): void => void killContainer(places.run, container.id, SIGKILL).catch(() => undefined);
  signal?.addEventListener('abort', kill);
  try {
    if (signal?.aborted === true) kill();
    else await waiting.go();
    const code = await waiting.monitor.ended();
    await drained.done;
    signal?.throwIfAborted();
    return code;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/** Takes its output from now on. Gives what is settled when there is no more; it is a promise within an object, so that it is not waited for. */
async function follow(places: Places, container: Container, output: Output): Promise<{ done: Promise<void> }> {
  const socket = await connectMonitor(places, container.id);
  if (socket === undefined) throw new DelosError('interrupted', 'the process that watches the container was killed');
  const frames = new FrameReader();
  const joined = Promise.withResolvers<void>();
  const done = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (piece: Buffer) => {
    for (const received of frames.read(piece)) {
      if (received.kind === 'attached') joined.resolve();
      else if (received.kind === 'output') output(received.stream, Buffer.from(received.data));
    }
  });
  socket.write(frame('a'));
  await Promise.race([joined.promise, done]);
  return { done };
}
