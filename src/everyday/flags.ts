import type { Values } from '../vocabulary/flags.ts';

/** What `delos run` and `delos create` have in common: docker's flags for one container. */
export const createFlags = [
  // What runs, and as whom.
  { name: 'interactive', short: 'i', type: 'bool', help: 'Keep stdin open even if nothing is attached' },
  { name: 'tty', short: 't', type: 'bool', help: 'Give the container a terminal' },
  { name: 'entrypoint', type: 'string', help: "Program to run in place of the image's entrypoint; empty for none" },
  { name: 'env', short: 'e', type: 'list', help: 'Set an environment variable (NAME=value, or NAME for the value it has here)' },
  { name: 'env-file', type: 'list', help: 'Read environment variables from a file' },
  { name: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  { name: 'user', short: 'u', type: 'string', help: 'User to run as (<name|uid>[:<group|gid>])' },
  { name: 'group-add', type: 'list', help: 'Additional groups to join' },
  { name: 'init', type: 'bool', help: 'Run an init inside the container that forwards signals and reaps processes' },
  // Its name and life.
  { name: 'name', type: 'string', help: 'Name of the container' },
  { name: 'rm', type: 'bool', help: 'Remove the container when it exits' },
  { name: 'label', short: 'l', type: 'list', help: 'Set metadata on the container (key=value)' },
  { name: 'annotation', type: 'list', value: 'map', help: 'Add an annotation to config.json (key=value)' },
  { name: 'stop-signal', type: 'string', help: 'Signal that asks the container to stop' },
  { name: 'stop-timeout', type: 'int', help: 'Seconds between the stop signal and SIGKILL' },
  { name: 'restart', type: 'string', value: 'policy', help: 'When to start it again after it has ended: no, on-failure[:RETRIES], always, unless-stopped' },
  { name: 'health-cmd', type: 'string', value: 'command', help: 'Command that tells whether the container is well' },
  { name: 'health-interval', type: 'duration', help: 'Time between two checks (30s unless given)' },
  { name: 'health-timeout', type: 'duration', help: 'Most time for a check (30s unless given)' },
  { name: 'health-retries', type: 'int', help: 'Failures in a row that make it unhealthy (3 unless given)' },
  { name: 'health-start-period', type: 'duration', help: 'Time in which failures are not counted' },
  { name: 'health-start-interval', type: 'duration', help: 'Time between two checks in the start period (5s unless given)' },
  { name: 'no-healthcheck', type: 'bool', help: "Do without the image's health check" },
  { name: 'cidfile', type: 'string', help: 'Write the container id to a file' },
  { name: 'pidfile', type: 'string', help: 'Write the process id of the container to a file' },
  { name: 'quiet', short: 'q', type: 'bool', help: 'Show no progress' },
  { name: 'pull', type: 'string', default: 'missing', value: 'missing|always|never', help: 'When to ask the registry for the image' },
  { name: 'platform', type: 'string', value: 'os/arch', help: 'Platform of the image, where it has several' },
  { name: 'explain', type: 'string', bare: 'text', value: 'text|json', help: 'Print every system call and its reason, and run nothing' },
  { name: 'isolation', type: 'string', default: 'container', help: 'What holds the process: container' },
  // Files.
  { name: 'volume', short: 'v', type: 'list', help: 'Bind mount a path or a volume (SOURCE:TARGET[:ro])' },
  { name: 'mount', type: 'list', value: 'mount', help: 'Mount a bind, volume or tmpfs (type=bind,source=...,target=...,readonly)' },
  { name: 'tmpfs', type: 'list', help: 'Mount a tmpfs directory (TARGET[:size=1m,mode=1777])' },
  { name: 'read-only', type: 'bool', help: "Mount the container's root filesystem read-only" },
  { name: 'shm-size', type: 'size', help: 'Size of /dev/shm (64m unless given)' },
  // Limits.
  { name: 'memory', short: 'm', type: 'size', help: 'Memory limit' },
  { name: 'memory-swap', type: 'size', unlimited: true, help: 'Limit of memory and swap together; -1 for unlimited swap' },
  { name: 'memory-reservation', type: 'size', help: 'Memory that is left to the container when memory is scarce' },
  { name: 'memory-swappiness', type: 'int', help: 'How readily its memory is swapped out (0 to 100; -1 leaves it alone)' },
  { name: 'oom-kill-disable', type: 'bool', help: 'Stop instead of kill when memory is exhausted (cgroup v1 only)' },
  { name: 'oom-score-adj', type: 'int', help: "The host's preference to kill it when memory is exhausted (-1000 to 1000)" },
  { name: 'cpus', type: 'cpus', help: 'Number of CPUs' },
  { name: 'cpu-shares', short: 'c', type: 'int', help: 'Share of CPU time against other containers (1024 is normal)' },
  { name: 'cpu-period', type: 'int', help: 'Period of the CPU quota in microseconds' },
  { name: 'cpu-quota', type: 'int', help: 'CPU time in each period in microseconds' },
  { name: 'cpuset-cpus', type: 'string', help: 'CPUs to run on (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', help: 'Memory nodes to use (0-3, 0,1)' },
  { name: 'pids-limit', type: 'int', help: 'Number of processes; -1 for no limit' },
  { name: 'blkio-weight', type: 'int', help: 'Share of block I/O (10 to 1000; 0 leaves it alone)' },
  { name: 'blkio-weight-device', type: 'list', help: 'Share of block I/O on a device (/dev/sda:200)' },
  { name: 'device-read-bps', type: 'list', help: 'Bytes a second that may be read from a device (/dev/sda:1mb)' },
  { name: 'device-write-bps', type: 'list', help: 'Bytes a second that may be written to a device' },
  { name: 'device-read-iops', type: 'list', help: 'Reads a second from a device (/dev/sda:1000)' },
  { name: 'device-write-iops', type: 'list', help: 'Writes a second to a device' },
  { name: 'ulimit', type: 'list', value: 'ulimit', help: 'Set a limit of setrlimit(2) (nofile=1024:2048)' },
  { name: 'cgroup-parent', type: 'string', help: "Cgroup to put the container's in" },
  // Rights.
  { name: 'privileged', type: 'bool', help: 'Give the container all capabilities and devices, and no filters' },
  { name: 'cap-add', type: 'list', help: 'Add a capability, or ALL' },
  { name: 'cap-drop', type: 'list', help: 'Drop a capability, or ALL' },
  { name: 'security-opt', type: 'list', help: 'seccomp=unconfined|FILE, apparmor=PROFILE, label=..., no-new-privileges, systempaths=unconfined' },
  { name: 'device', type: 'list', help: 'Add a device of the host (/dev/x[:/dev/y][:rwm])' },
  { name: 'device-cgroup-rule', type: 'list', help: "Allow devices by number ('c 1:3 rwm')" },
  { name: 'sysctl', type: 'list', value: 'map', help: 'Set a kernel parameter of the container (name=value)' },
  // Namespaces.
  { name: 'hostname', short: 'h', type: 'string', help: 'Host name inside the container' },
  { name: 'domainname', type: 'string', help: 'NIS domain name inside the container' },
  { name: 'network', aliases: ['net'], type: 'string', value: 'network', help: 'Network: bridge (of an image from a registry unless given), none (of others), host, container:<name|id>, or one that was created' },
  { name: 'publish', short: 'p', type: 'list', value: 'port', help: 'Publish a port of the container on the host ([[ADDRESS:]HOST_PORT:]PORT[/udp])' },
  { name: 'publish-all', short: 'P', type: 'bool', help: 'Publish all ports that the image names, on free ports of the host' },
  { name: 'expose', type: 'list', value: 'port', help: 'Name a port for --publish-all' },
  { name: 'network-alias', aliases: ['net-alias'], type: 'list', help: 'Another name for other containers of its network' },
  { name: 'ip', type: 'string', help: 'IPv4 address in its network' },
  { name: 'ip6', type: 'string', help: 'IPv6 address in its network' },
  { name: 'mac-address', type: 'string', help: 'Hardware address in its network' },
  { name: 'add-host', type: 'list', value: 'name:address', help: 'Add a line to /etc/hosts; the address may be host-gateway' },
  { name: 'dns', type: 'list', value: 'address', help: 'Name server in place of those of its network or the host' },
  { name: 'dns-search', type: 'list', value: 'domain', help: 'Domain to search for names; . for none' },
  { name: 'dns-option', aliases: ['dns-opt'], type: 'list', value: 'option', help: 'Option of resolv.conf' },
  { name: 'pid', type: 'string', help: 'PID namespace: host, container:<name|id>' },
  { name: 'ipc', type: 'string', help: 'IPC namespace: private, host, none, shareable, container:<name|id>' },
  { name: 'uts', type: 'string', help: 'UTS namespace: host' },
  { name: 'cgroupns', type: 'string', help: 'Cgroup namespace: private, host' },
  { name: 'userns', type: 'string', help: 'User namespace: host for none' },
  { name: 'uidmap', type: 'list', help: 'Map user ids in a new user namespace (inside:outside:count)' },
  { name: 'gidmap', type: 'list', help: 'Map group ids in a new user namespace (inside:outside:count)' },
] as const;

/** `delos run`: what is created, and how the caller is attached to it. */
export const runFlags = [
  ...createFlags,
  { name: 'detach', short: 'd', type: 'bool', help: 'Run in the background and print the container id' },
  { name: 'sig-proxy', type: 'bool', default: true, help: 'Forward signals to the container' },
  { name: 'detach-keys', type: 'string', default: 'ctrl-p,ctrl-q', help: 'Keys that detach from the container' },
] as const;

export type CreateFlags = Values<typeof createFlags>;
export type RunFlags = Values<typeof runFlags>;

/** The flags of `create` or `run`, the new container's id (64 hexadecimal digits) and the words after the image. */
export type RunOptions = Omit<CreateFlags, 'network'> & { readonly network: string; readonly id: string; readonly command: readonly string[] };
