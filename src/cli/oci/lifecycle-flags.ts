const bundle = { name: 'bundle', short: 'b', type: 'string', default: '.', value: 'folder', help: 'the bundle: config.json and, usually, the root file system' } as const;
const pidFile = { name: 'pid-file', type: 'string', value: 'file', help: 'write the process id there' } as const;
const consoleSocket = { name: 'console-socket', type: 'string', value: 'socket', help: 'AF_UNIX socket that is sent the master of the terminal' } as const;
const preserveFds = { name: 'preserve-fds', type: 'int', default: 0, help: 'descriptors from 3 on that go to the container, besides those of $LISTEN_FDS' } as const;
const detach = { name: 'detach', short: 'd', type: 'bool', help: 'do not wait for the process to end' } as const;

export const createFlags = [
  bundle, pidFile, consoleSocket, preserveFds,
  { name: 'no-pivot', type: 'bool', help: 'move the root instead of pivot_root(2), for a root on a ramdisk' },
  { name: 'no-new-keyring', type: 'bool', help: "keep the caller's session keyring" },
] as const;

export const runFlags = [
  ...createFlags, detach,
  { name: 'keep', type: 'bool', help: 'do not delete the container when it has ended' },
  { name: 'no-subreaper', type: 'bool', help: 'accepted: delos-oci is never a subreaper' },
] as const;

export const killFlags = [
  { name: 'all', short: 'a', type: 'bool', help: 'signal every process of the container' },
] as const;

export const deleteFlags = [
  { name: 'force', short: 'f', type: 'bool', help: 'kill it first if it is running' },
] as const;

export const execFlags = [
  pidFile, consoleSocket, preserveFds, detach,
  { name: 'process', short: 'p', type: 'string', value: 'file', help: 'take the process from a JSON file; the flags about the process are ignored then' },
  { name: 'cwd', type: 'string', value: 'path', help: 'working directory in the container' },
  { name: 'env', short: 'e', type: 'list', help: 'set an environment variable' },
  { name: 'tty', short: 't', type: 'bool', help: 'give the process a terminal' },
  { name: 'user', short: 'u', type: 'string', value: 'uid[:gid]', help: 'user and group, as numbers' },
  { name: 'additional-gids', short: 'g', type: 'list', value: 'gid', help: 'further groups' },
  { name: 'cap', short: 'c', type: 'list', value: 'capability', help: 'add a capability' },
  { name: 'no-new-privs', type: 'bool', help: 'set no_new_privs' },
  { name: 'apparmor', type: 'string', value: 'profile', help: 'AppArmor profile of the process' },
  { name: 'process-label', type: 'string', value: 'label', help: 'SELinux label of the process' },
  { name: 'cgroup', type: 'list', value: '[controller:]path', help: "cgroup below the container's; it must exist" },
  { name: 'ignore-paused', type: 'bool', help: 'allow it in a paused container, where it waits' },
] as const;

export const refusedFlags = [
  { name: 'keep', type: 'bool', help: 'leave the container as it is' },
] as const;

export const plannerFlags = [
  { name: 'idle', type: 'duration', help: 'end when nothing was asked for so long (default: never)' },
] as const;
