import assert from 'node:assert/strict';
import type { Invocation, Program } from '../../vocabulary/flags.ts';
import { command, parseCommandLine } from '../../vocabulary/flags.ts';
import type { HostFacts, ImageDefaults } from '../facts.ts';
import type { RunFlags, RunOptions } from '../flags.ts';
import { runFlags } from '../flags.ts';

/** What `delos <line>` asks for, through the real parser and table. Words are split at spaces. */
export function parseRun(line: string): RunOptions & Omit<RunFlags, 'network'> {
  return parseRunWords(line.split(' '));
}

export function parseRunWords(words: readonly string[]): RunOptions & Omit<RunFlags, 'network'> {
  const run = command({
    name: 'run', summary: 'Run', usage: 'run', flags: runFlags, positional: { min: 1, max: Infinity, stopAtFirst: true },
    load: async () => ({ run: async () => 0 }),
  });
  const program: Program = { name: 'delos', summary: 'Delos', dialect: 'pflag', globals: [], commands: [run] };
  const parsed = parseCommandLine(program, words);
  if (parsed.kind !== 'run') assert.fail(`${words.join(' ')} asks for ${parsed.kind}`);
  const { flags, positional } = parsed.invocation as Invocation<typeof runFlags>;
  return { ...flags, network: flags.network ?? 'none', id: '0123456789abcdef'.repeat(4), command: positional.slice(1) };
}

/** An image such as Alpine's. */
export const image: ImageDefaults = {
  rootfs: '/var/lib/delos/rootfs',
  cmd: ['/bin/sh'],
  env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
  passwd: 'root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\nalice:x:1000:1000::/home/alice:/bin/sh\n',
  group: 'root:x:0:root\nbin:x:1:root,bin\nwheel:x:10:root,alice\nalice:x:1000:\ndialout:x:20:\n',
};

/** A recent host with cgroup v2, seen by root. */
export const host: HostFacts = {
  kernel: { release: '6.18.44', major: 6, minor: 18 },
  uid: 0, gid: 0, subuids: [], subgids: [],
  cgroup: { version: 2, parent: '/delos', controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'], swap: true },
  cpus: 4, hostname: 'naxos', lastCapability: 40, apparmor: false, selinux: false,
  environment: { HOME: '/root', EDITOR: 'ed' }, cwd: '/work',
  init: '/usr/lib/delos/init', volumeRoot: '/var/lib/delos/volumes', etcFiles: {},
  files: {}, containers: { web: { pid: 4242, shm: '/run/delos/web/shm' } },
  devices: {
    '/dev/kvm': { type: 'c', major: 10, minor: 232, mode: 0o660, uid: 0, gid: 106 },
    '/dev/sda': { type: 'b', major: 8, minor: 0, mode: 0o660, uid: 0, gid: 6 },
    '/dev/snd/seq': { type: 'c', major: 116, minor: 1, mode: 0o660, uid: 0, gid: 29 },
    '/dev/snd/timer': { type: 'c', major: 116, minor: 33, mode: 0o660, uid: 0, gid: 29 },
  },
};

/** The same host seen by an ordinary user without delegated cgroups. */
export const ordinary: HostFacts = {
  ...host, uid: 1000, gid: 1000,
  subuids: [{ start: 100000, count: 65536 }], subgids: [{ start: 100000, count: 65536 }],
  cgroup: { version: 2, parent: '', controllers: [], swap: false },
};
