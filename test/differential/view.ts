import fs from 'node:fs';
import path from 'node:path';

/** What a container saw, or the host of it, by name: `status.CapEff`, `mount./proc`, `cgroup.memory/memory.limit_in_bytes`. */
export type View = Readonly<Record<string, string>>;

/** What differs from run to run and means nothing: `text` is replaced by `name`. */
export type Names = readonly (readonly [text: string, name: string])[];

/** The probe's sections (probe.sh) as a view, with names in place of what no two containers share. */
export function readView(output: string, names: Names): View {
  const entries = output.split('\n==').slice(1).flatMap((section) => {
    const [name = '', ...lines] = section.trimEnd().split('\n');
    return (parsers[name] ?? whole)(lines).map(([key, value]) => [`${name}${key === '' ? '' : '.'}${key}`, replaced(value, names)] as const);
  });
  return Object.fromEntries(entries);
}

type Entries = readonly (readonly [key: string, value: string])[];

const parsers: Readonly<Record<string, (lines: readonly string[]) => Entries>> = {
  environment: (lines) => pairs(lines),
  status: (lines) => pairs(lines, ':').filter(([key]) => !volatileStatus.test(key)),
  limits: (lines) => lines.slice(1).map((line) => [line.slice(0, 26).trim(), line.slice(26).replace(/\s+/g, ' ').trim()]),
  mountinfo: mounts,
  paths: (lines) => pairs(lines),
  tree: (lines) => pairs(lines, /=| -> /).filter(([key]) => !/^\/dev\/(?:pts|fd)\/\d/.test(key)),
  sysctls: (lines) => pairs(lines),
  writing: (lines) => pairs(lines),
  hidden: (lines) => pairs(lines),
  calls: (lines) => pairs(lines),
  descriptors: (lines) => pairs(lines),
  sched: (lines) => pairs(lines, /\s+:\s+/).filter(([key]) => key === 'policy' || key === 'prio'),
  namespaces: (lines) => pairs(lines, ':').map(([key, value]) => [key, whose(key, value)]),
};

/** Of this run and this moment: ids, counters and sizes of memory. */
const volatileStatus = /^(?:State|Pid|PPid|Tgid|Ngid|NSpid|NStgid|NSpgid|NSsid|FDSize|SigQ|Vm\w+|Rss\w+|HugetlbPages|voluntary\w*|nonvoluntary\w*)$/;

function whole(lines: readonly string[]): Entries {
  return [['', lines.join('\n')]];
}

function pairs(lines: readonly string[], separator: string | RegExp = '='): Entries {
  return lines.filter((line) => line !== '').map((line) => {
    const [key = ''] = line.split(separator, 1);
    return [key, line.slice(key.length).replace(/^(?: -> |[=:\s]+)/, '')];
  });
}

/** Mounts by their mount point, the parent by its own; peer groups and masters without their numbers. */
function mounts(lines: readonly string[]): Entries {
  const rows = lines.map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [id = '', parent = '', , root = '', point = '', options = '', ...propagation] = left.split(' ');
    const [type = '', source = '', superOptions = ''] = right.split(' ');
    const parts = { root, options, propagation: propagation.map((group) => group.split(':')[0]).join(' '), filesystem: `${type} ${source}`, super: superOptions };
    return { id, parent, point, parts };
  });
  const pointOf = (id: string): string => rows.find((row) => row.id === id)?.point ?? 'outside';
  const seen = new Map<string, number>();
  return rows.flatMap(({ parent, point, parts }) => {
    const count = seen.get(point) ?? 0;
    seen.set(point, count + 1);
    return Object.entries({ ...parts, parent: pointOf(parent) }).map(([name, value]) => [`${point}${'+'.repeat(count)} ${name}`, value] as const);
  });
}

/** Whether the namespace is this process's own; an id says no more to the reader. */
function whose(name: string, id: string): string {
  return fs.readlinkSync(`/proc/self/ns/${name}`) === `${name}:${id}` ? 'the host’s' : 'new';
}

function replaced(text: string, names: Names): string {
  return names.reduce((result, [from, to]) => result.replaceAll(from, to), text);
}

/** The files of a container's cgroups that hold limits: those that can be written to, and the list of devices. */
export function readCgroupView(cgroupsPath: string): View {
  const view: Record<string, string> = {};
  for (const hierarchy of fs.readdirSync('/sys/fs/cgroup')) {
    const folder = path.join('/sys/fs/cgroup', hierarchy, cgroupsPath);
    if (!fs.existsSync(folder)) continue;
    view[`cgroup.${hierarchy}`] = 'there';
    for (const name of fs.readdirSync(folder)) {
      const { mode } = fs.statSync(path.join(folder, name));
      const isLimit = (mode & 0o200) !== 0 && !countingFiles.test(name);
      if (isLimit) view[`cgroup.${hierarchy}/${name}`] = readOr(path.join(folder, name), 'cannot be read');
      if (name === 'devices.list') for (const rule of readOr(path.join(folder, name), '').split('\n')) view[`device ${rule}`] = 'allowed';
    }
  }
  return view;
}

const countingFiles = /procs$|^tasks$|usage|failcnt|pressure|reset_stats|threads$|events$/;

function readOr(file: string, otherwise: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return otherwise;
  }
}
