import path from 'node:path';
import type { Config, Process } from '../../oci/config/types.ts';
import { mergeResources } from '../../runtime/update.ts';
import { mergeEnvironment } from '../../vocabulary/key-value.ts';
import type { RunOptions } from '../../everyday/flags.ts';

/**
 * A bundle's own configuration with what the flags say put over it.
 * @param base the bundle's config.json
 * @param folder the bundle, which its relative paths count from
 * @param everyday what the flags alone would give
 */
export function bundleConfig(base: Config, folder: string, everyday: Config, options: RunOptions): Config {
  const limits = everyday.linux?.resources ?? {};
  const { devices: _, ...asked } = limits;
  return {
    ...base,
    root: { ...base.root, path: path.resolve(folder, base.root?.path ?? ''), ...(options['read-only'] && { readonly: true }) },
    ...(options.hostname !== undefined && { hostname: options.hostname }),
    ...(everyday.process !== undefined && { process: mergeProcess(base.process, everyday.process, options) }),
    mounts: mergeMounts(base, folder, everyday, options),
    ...((base.annotations ?? everyday.annotations) && { annotations: { ...base.annotations, ...everyday.annotations } }),
    linux: {
      ...base.linux,
      ...(everyday.linux?.cgroupsPath !== undefined && { cgroupsPath: everyday.linux.cgroupsPath }),
      resources: mergeResources(base.linux?.resources ?? {}, asked),
    },
  };
}

function mergeProcess(base: Process | undefined, everyday: Process, options: RunOptions): Process {
  const rights = options.privileged || options['cap-add'].length + options['cap-drop'].length > 0;
  const { terminal: _, ...kept } = base ?? everyday;
  return {
    ...kept,
    ...(options.tty && { terminal: true }),
    ...(everyday.args && { args: everyday.args }),
    env: mergeEnvironment(base?.env ?? [], everyday.env ?? []),
    ...(options.workdir !== undefined && { cwd: everyday.cwd }),
    ...(options.user !== undefined && everyday.user && { user: everyday.user }),
    ...(rights && everyday.capabilities && { capabilities: everyday.capabilities }),
    ...(options.ulimit.length > 0 && everyday.rlimits && { rlimits: everyday.rlimits }),
    ...(options['security-opt'].length > 0 && { noNewPrivileges: everyday.noNewPrivileges ?? false }),
    ...(everyday.oomScoreAdj !== undefined && { oomScoreAdj: everyday.oomScoreAdj }),
  };
}

/** The bundle's mounts, with absolute sources; then those of the flags, which replace what is at the same place. */
function mergeMounts(base: Config, folder: string, everyday: Config, options: RunOptions): NonNullable<Config['mounts']> {
  const count = options.volume.length + options.mount.length + options.tmpfs.length;
  const asked = count === 0 ? [] : (everyday.mounts ?? []).slice(-count);
  const init = options.init ? (everyday.mounts ?? []).filter(({ destination }) => destination === '/dev/init') : [];
  const kept = (base.mounts ?? []).filter(({ destination }) => !asked.some((mount) => mount.destination === destination));
  return [...kept.map((mount) => (isBind(mount) ? { ...mount, source: path.resolve(folder, mount.source ?? '') } : mount)), ...init, ...asked];
}

function isBind({ type, options = [] }: { readonly type?: string; readonly options?: readonly string[] }): boolean {
  return type === 'bind' || options.includes('bind') || options.includes('rbind');
}
