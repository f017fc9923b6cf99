import type { Config } from '../oci/config/types.ts';

/** Where the container finds the socket: runc's place for it. */
const inside = '/run/notify/notify.sock';

/**
 * A configuration whose program can tell its service manager that it is ready, sd_notify(3): the manager's socket is bound into
 * the container. An abstract socket (`@…`) belongs to a network namespace and cannot be passed on.
 */
export function withNotifySocket(config: Config, socket: string | undefined): Config {
  if (!socket?.startsWith('/')) return config;
  const mount = { destination: inside, source: socket, options: ['bind', 'nosuid', 'noexec', 'nodev'] };
  const env = (config.process?.env ?? []).filter((entry) => !entry.startsWith('NOTIFY_SOCKET='));
  return {
    ...config,
    mounts: [...(config.mounts ?? []), mount],
    ...(config.process && { process: { ...config.process, env: [...env, `NOTIFY_SOCKET=${inside}`] } }),
  };
}
