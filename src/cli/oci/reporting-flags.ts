const format = { name: 'format', short: 'f', type: 'string', default: 'table', help: 'select one of: table or json' } as const;

export const listFlags = [
  format,
  { name: 'quiet', short: 'q', type: 'bool', help: 'display only container IDs' },
] as const;

export const psFlags = [format] as const;

export const eventsFlags = [
  { name: 'interval', type: 'duration', default: 5000, value: 'duration', help: 'time between two lines of statistics' },
  { name: 'stats', type: 'bool', help: "display the container's statistics once and exit" },
] as const;

export const specFlags = [
  { name: 'bundle', short: 'b', type: 'string', value: 'folder', default: '.', help: 'where to write config.json' },
  { name: 'rootless', type: 'bool', help: 'write a configuration for an ordinary user' },
] as const;

/** A flag that is not given, or is 0, leaves its limit as it is. */
export const updateFlags = [
  { name: 'resources', short: 'r', type: 'string', value: 'file', help: "read the limits from a file, or from stdin for '-'; all other flags are ignored then" },
  { name: 'blkio-weight', type: 'int', help: 'block I/O weight, 10 to 1000' },
  { name: 'cpu-period', type: 'int', help: 'CFS period in microseconds' },
  { name: 'cpu-quota', type: 'int', help: 'CPU time in a period in microseconds; -1 for no limit' },
  { name: 'cpu-burst', type: 'int', help: 'CPU time that may be saved up, in microseconds' },
  { name: 'cpu-share', type: 'int', help: 'CPU shares, relative to other containers' },
  { name: 'cpu-rt-period', type: 'int', help: 'realtime period in microseconds' },
  { name: 'cpu-rt-runtime', type: 'int', help: 'realtime CPU time in a period in microseconds' },
  { name: 'cpu-idle', type: 'int', help: '1 to run only when nothing else wants to; 0 not to' },
  { name: 'cpuset-cpus', type: 'string', help: 'processors, such as 0-2,7' },
  { name: 'cpuset-mems', type: 'string', help: 'memory nodes, such as 0-2,7' },
  { name: 'memory', type: 'size', unlimited: true, help: 'memory; -1 for no limit' },
  { name: 'memory-reservation', type: 'size', unlimited: true, help: 'soft limit of memory' },
  { name: 'memory-swap', type: 'size', unlimited: true, help: 'memory and swap together; -1 for no limit' },
  { name: 'pids-limit', type: 'int', help: 'number of processes; -1 for no limit' },
  { name: 'kernel-memory', type: 'size', unlimited: true, hidden: true, help: 'no longer of any effect in the kernel' },
  { name: 'kernel-memory-tcp', type: 'size', unlimited: true, hidden: true, help: 'no longer of any effect in the kernel' },
  { name: 'l3-cache-schema', type: 'string', help: 'schema of the L3 cache, Intel RDT' },
  { name: 'mem-bw-schema', type: 'string', help: 'schema of the memory bandwidth, Intel RDT' },
] as const;
