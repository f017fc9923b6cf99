export const globalFlags = [
  { name: 'root', type: 'string', value: 'folder', help: 'where the state of containers is kept (default: /run/delos for root, $XDG_RUNTIME_DIR/delos for others)' },
  { name: 'log', type: 'string', value: 'file', help: 'write the log to a file instead of stderr' },
  { name: 'log-format', type: 'string', default: 'text', value: 'text|json', help: 'form of the lines of the log' },
  { name: 'debug', type: 'bool', help: 'log more' },
  { name: 'systemd-cgroup', type: 'bool', help: 'linux.cgroupsPath is slice:prefix:name, and systemd makes the cgroup' },
  { name: 'rootless', type: 'string', default: 'auto', value: 'true|false|auto', help: 'accepted; whether a container is rootless follows from who runs it' },
  { name: 'criu', type: 'string', hidden: true, help: 'ignored: there is no checkpoint' },
  { name: 'explain', type: 'string', bare: 'text', value: 'text|json', hidden: true, help: 'with create and run: print the plan, run nothing' },
] as const;
