import type { Capabilities, Config, Linux, Mount, NamespaceType } from './config/types.ts';

export interface DefaultConfigOptions {
  /** For an ordinary user: a user namespace in which that user is root, the host's network, no limits. */
  readonly rootless: boolean;
  /** The user and group outside that are root inside; needed when rootless, 0 to 2^32 - 2. */
  readonly uid?: number;
  readonly gid?: number;
}

/** The configuration `spec` writes into a new bundle, with a shell to start: what `runc spec` and `runc spec --rootless` write. */
export function defaultConfig({ rootless, uid = 0, gid = 0 }: DefaultConfigOptions): Config {
  return {
    ociVersion: '1.3.0',
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: capabilities(),
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'runc',
    mounts: mounts(rootless),
    linux: rootless ? rootlessLinux(uid, gid) : rootLinux(),
  };
}

function capabilities(): Capabilities {
  const names = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
  return { bounding: names, effective: names, permitted: names, ambient: names };
}

const mount = (destination: string, type: string, source: string, options?: string): Mount => ({
  destination,
  type,
  source,
  ...(options !== undefined && { options: options.split(',') }),
});

function mounts(rootless: boolean): readonly Mount[] {
  return [
    mount('/proc', 'proc', 'proc'),
    mount('/dev', 'tmpfs', 'tmpfs', 'nosuid,strictatime,mode=755,size=65536k'),
    // Group 5, tty, has no number in a user namespace with one id.
    mount('/dev/pts', 'devpts', 'devpts', `nosuid,noexec,newinstance,ptmxmode=0666,mode=0620${rootless ? '' : ',gid=5'}`),
    mount('/dev/shm', 'tmpfs', 'shm', 'nosuid,noexec,nodev,mode=1777,size=65536k'),
    mount('/dev/mqueue', 'mqueue', 'mqueue', 'nosuid,noexec,nodev'),
    // A new sysfs shows the network namespace, so only its owner may mount one.
    rootless
      ? mount('/sys', 'none', '/sys', 'rbind,nosuid,noexec,nodev,ro')
      : mount('/sys', 'sysfs', 'sysfs', 'nosuid,noexec,nodev,ro'),
    mount('/sys/fs/cgroup', 'cgroup', 'cgroup', 'nosuid,noexec,nodev,relatime,ro'),
  ];
}

function rootLinux(): Linux {
  return {
    resources: { devices: [{ allow: false, access: 'rwm' }] },
    ...isolation(['pid', 'network', 'ipc', 'uts', 'mount']),
  };
}

function rootlessLinux(uid: number, gid: number): Linux {
  return {
    uidMappings: [{ containerID: 0, hostID: uid, size: 1 }],
    gidMappings: [{ containerID: 0, hostID: gid, size: 1 }],
    ...isolation(['pid', 'ipc', 'uts', 'mount', 'user']),
  };
}

function isolation(namespaces: readonly NamespaceType[]): Linux {
  return {
    namespaces: namespaces.map((type) => ({ type })),
    maskedPaths: [
      '/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats',
      '/proc/sched_debug', '/sys/firmware', '/proc/scsi',
    ],
    readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
  };
}
