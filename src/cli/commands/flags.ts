import { createFlags, runFlags } from '../../everyday/flags.ts';

const detachKeys = { name: 'detach-keys', type: 'string', default: 'ctrl-p,ctrl-q', help: 'Keys that detach from the container' } as const;
const sigProxy = { name: 'sig-proxy', type: 'bool', default: true, help: 'Forward signals to the container' } as const;
const format = { name: 'format', type: 'string', help: "Format with a template, 'json', 'table' or 'table TEMPLATE'" } as const;
const noTrunc = { name: 'no-trunc', type: 'bool', help: 'Do not shorten' } as const;
const time = { name: 'time', short: 't', aliases: ['timeout'], type: 'int', help: 'Seconds before it is killed; -1 to wait for ever' } as const;

export const explainFlags = [...runFlags, { name: 'json', type: 'bool', help: 'As JSON' }] as const;

export const startFlags = [
  { name: 'attach', short: 'a', type: 'bool', help: 'Show its output and forward signals' },
  { name: 'interactive', short: 'i', type: 'bool', help: "Attach the container's stdin" },
  detachKeys,
] as const;

export const psFlags = [
  { name: 'all', short: 'a', type: 'bool', help: 'Show containers that do not run, too' },
  { name: 'filter', short: 'f', type: 'list', help: 'Show only those (id=, name=, label=, status=, health=, exited=, ancestor=)' },
  format,
  { name: 'last', short: 'n', type: 'int', default: -1, help: 'Show the last n containers, whatever their state' },
  { name: 'latest', short: 'l', type: 'bool', help: 'Show the latest container, whatever its state' },
  noTrunc,
  { name: 'quiet', short: 'q', type: 'bool', help: 'Only ids' },
] as const;

export const execFlags = [
  { name: 'detach', short: 'd', type: 'bool', help: 'Leave it in the background' },
  { name: 'env', short: 'e', type: 'list', help: 'Set an environment variable' },
  { name: 'env-file', type: 'list', help: 'Read environment variables from a file' },
  { name: 'interactive', short: 'i', type: 'bool', help: 'Pass stdin on' },
  { name: 'privileged', type: 'bool', help: 'Give it all capabilities' },
  { name: 'tty', short: 't', type: 'bool', help: 'Give it a terminal' },
  { name: 'user', short: 'u', type: 'string', help: 'User to run as (<name|uid>[:<group|gid>])' },
  { name: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
] as const;

export const logsFlags = [
  { name: 'follow', short: 'f', type: 'bool', help: 'Go on until the container ends' },
  { name: 'since', type: 'string', help: 'Only from then on (2026-11-21T10:00:00Z, or 10m for ten minutes ago)' },
  { name: 'until', type: 'string', help: 'Only up to then' },
  { name: 'tail', short: 'n', type: 'string', default: 'all', value: 'number', help: 'Only the last lines' },
  { name: 'timestamps', short: 't', type: 'bool', help: 'Show when each line was written' },
] as const;

export const attachFlags = [
  detachKeys,
  { name: 'no-stdin', type: 'bool', help: 'Do not attach stdin' },
  sigProxy,
] as const;

export const stopFlags = [{ name: 'signal', short: 's', type: 'string', help: 'Signal to send first' }, time] as const;

export const killFlags = [{ name: 'signal', short: 's', type: 'string', default: 'KILL', help: 'Signal to send' }] as const;

export const rmFlags = [
  { name: 'force', short: 'f', type: 'bool', help: 'Kill it first if it runs' },
  { name: 'volumes', short: 'v', type: 'bool', help: 'Anonymous volumes always go with their container' },
] as const;

export const inspectFlags = [
  { name: 'format', short: 'f', type: 'string', help: "Format with a template or 'json'" },
  { name: 'type', type: 'string', value: 'container|image', help: 'Look only among containers, or only among images' },
] as const;

export const statsFlags = [
  { name: 'all', short: 'a', type: 'bool', help: 'Show containers that do not run, too' },
  format,
  { name: 'no-stream', type: 'bool', help: 'Print once and stop' },
  noTrunc,
] as const;

const changeable = [
  'memory', 'memory-swap', 'memory-reservation', 'cpus', 'cpu-shares', 'cpu-period', 'cpu-quota', 'cpuset-cpus', 'cpuset-mems', 'pids-limit',
  'blkio-weight',
] as const;

type Changeable = Extract<(typeof createFlags)[number], { readonly name: (typeof changeable)[number] }>;

/** The limits of `run`, as far as they can be changed later. */
export const updateFlags = [
  ...createFlags.filter((flag): flag is Changeable => (changeable as readonly string[]).includes(flag.name)),
  { name: 'restart', type: 'string', value: 'policy', help: 'When to start it again after it has ended: no, on-failure[:RETRIES], always, unless-stopped' },
] as const;

export const eventsFlags = [
  { name: 'filter', short: 'f', type: 'list', help: 'Show only those (container=, image=, network=, volume=, type=, event=, label=)' },
  { name: 'format', type: 'string', help: "Format with a template, or 'json'" },
  { name: 'json', type: 'bool', help: 'The same as --format json' },
  { name: 'since', type: 'string', help: 'Those that are kept, too, from then on (2026-11-21T10:00:00Z, or 10m for ten minutes ago)' },
  { name: 'until', type: 'string', help: 'Stop then' },
] as const;

export const doctorFlags = [{ name: 'json', type: 'bool', help: 'As JSON' }] as const;

export const nsFlags = [format, noTrunc] as const;
