import { connectionsOf } from '../../containers/connection.ts';
import type { Container } from '../../containers/container.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { runtimeRecord, standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config, Mount } from '../../oci/config/types.ts';
import { readConfig } from '../../runtime/prepare.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { signalName } from '../../vocabulary/signal.ts';
import { inspection } from '../../vocabulary/table.ts';
import { badFlag } from '../../everyday/refusal.ts';
import { containerState, healthcheckConfig } from './container-state.ts';
import { find, placesOf, warn, type globalFlags } from './context.ts';
import type { inspectFlags } from './flags.ts';
import { describeImage } from './image-inspection.ts';
import { isolationOf } from './isolation.ts';
import { networkSettings } from './network-settings.ts';

type Kind = 'container' | 'image';

/** What `--type` may say. */
const describers: Readonly<Record<Kind, (places: Places, word: string) => unknown>> = {
  container: (places, word) => describe(places, find(places, word)), image: describeImage,
};

/** `delos inspect`: containers first, then images. */
export async function run({ command, flags, globals, positional }: Invocation<typeof inspectFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const [group, verb] = command.name.split(' ');
  const kind = verb === undefined ? flags.type : group;
  if (kind !== undefined && !Object.hasOwn(describers, kind)) throw badFlag('type', kind, 'expected container or image');
  const objects: unknown[] = [];
  let code = 0;
  for (const word of positional) {
    try {
      objects.push(kind === undefined ? describeEither(places, word) : describers[kind as Kind](places, word));
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  process.stdout.write(inspection(objects, flags.format));
  return code;
}

/** @throws DelosError not-found when neither has the name */
function describeEither(places: Places, word: string): unknown {
  try {
    return describers.container(places, word);
  } catch (error) {
    if (!(error instanceof DelosError) || error.code !== 'not-found') throw error;
  }
  try {
    return describers.image(places, word);
  } catch (error) {
    if (!(error instanceof DelosError) || (error.code !== 'no-image' && error.code !== 'bad-reference')) throw error;
    throw new DelosError('not-found', `no such container or image: ${word}`, { cause: error });
  }
}

/** As podman calls how its root is made. */
const rootDrivers: Readonly<Record<Container['root']['kind'], string>> = { overlay: 'overlay', copy: 'vfs', folder: 'folder' };

/** A container in docker's shape; what docker has no place for is under `Isolation`. */
function describe(places: Places, container: Container): unknown {
  const standing = standingOf(places, container);
  const record = runtimeRecord(places, container.id);
  const config = record?.config ?? readConfig(fileOf(places, container.id));
  const [path = '', ...args] = container.command;
  return {
    Id: container.id, Created: container.created, Path: path, Args: args, State: containerState(places, container, standing),
    Image: container.image, LogPath: fileOf(places, container.id, 'log'), Name: `/${container.name}`, RestartCount: container.restarts ?? 0,
    Driver: rootDrivers[container.root.kind], Platform: 'linux',
    MountLabel: config.linux?.mountLabel ?? '', ProcessLabel: config.process?.selinuxLabel ?? '', AppArmorProfile: config.process?.apparmorProfile ?? '',
    HostConfig: hostConfig(container, config),
    NetworkSettings: networkSettings(connectionsOf(places, container.id)),
    Mounts: (config.mounts ?? []).filter(({ type }) => type === 'bind').map(mountOf),
    Config: configOf(container, config),
    Bundle: fileOf(places, container.id),
    Isolation: standing.pid === 0 || record === undefined ? null : isolationOf(standing.pid, record.cgroup),
  };
}

function hostConfig({ autoRemove, restart, flags }: Container, config: Config): object {
  const { memory, cpu, pids } = config.linux?.resources ?? {};
  return {
    AutoRemove: autoRemove, RestartPolicy: { Name: restart?.name ?? 'no', MaximumRetryCount: restart?.maximumRetries ?? 0 }, NetworkMode: flags['network'] ?? 'none', Privileged: flags['privileged'] ?? false, ReadonlyRootfs: config.root?.readonly ?? false,
    Memory: memory?.limit ?? 0, MemoryReservation: memory?.reservation ?? 0, MemorySwap: memory?.swap ?? 0,
    CpuShares: cpu?.shares ?? 0, CpuPeriod: cpu?.period ?? 0, CpuQuota: cpu?.quota ?? 0, CpusetCpus: cpu?.cpus ?? '', CpusetMems: cpu?.mems ?? '',
    PidsLimit: pids?.limit ?? null, CapAdd: flags['cap-add'] ?? [], CapDrop: flags['cap-drop'] ?? [], SecurityOpt: flags['security-opt'] ?? [],
    Binds: flags['volume'] ?? [], CgroupParent: flags['cgroup-parent'] ?? '', Init: flags['init'] ?? false, OomScoreAdj: config.process?.oomScoreAdj ?? 0,
    Ulimits: (config.process?.rlimits ?? []).map(({ type, soft, hard }) => ({ Name: type.replace('RLIMIT_', '').toLowerCase(), Soft: Number(soft), Hard: Number(hard) })),
    MaskedPaths: config.linux?.maskedPaths ?? [], ReadonlyPaths: config.linux?.readonlyPaths ?? [],
  };
}

function mountOf({ source = '', destination, options = [] }: Mount): object {
  return { Type: 'bind', Source: source, Destination: destination, Mode: options.join(','), RW: !options.includes('ro'), Propagation: options.find((option) => /^r?(private|shared|slave)$/.test(option)) ?? '' };
}

function configOf({ tty, openStdin, image, labels, stopSignal, stopTimeoutSeconds, health }: Container, config: Config): object {
  const { user, env = [], args = [], cwd = '/' } = config.process ?? {};
  return {
    Hostname: config.hostname ?? '', Domainname: config.domainname ?? '', User: user === undefined ? '' : `${user.uid ?? 0}:${user.gid ?? 0}`, Tty: tty, OpenStdin: openStdin,
    Env: env, Cmd: args, Image: image, WorkingDir: cwd, Entrypoint: null, Labels: labels, StopSignal: signalName(stopSignal), StopTimeout: stopTimeoutSeconds,
    ...(health !== undefined && { Healthcheck: healthcheckConfig(health) }),
  };
}
