/**
 * Mutated config.json texts: each must be read into a Config, which then reads back as itself, or be refused by a DelosError of one line.
 * Usage: node fuzz/config.ts [--seconds N] [--seed N]. On a find it prints seed, error and text, and exits with 1.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { DelosError } from '../src/lib/errors.ts';
import { parseConfig, parseProcess, parseResources } from '../src/oci/config/parse.ts';
import { checkConfig, checkProcess } from '../src/oci/config/validate.ts';
import { defaultConfig } from '../src/oci/default-config.ts';
import { generator, pick, type Random } from './support/generator.ts';

/** Texts that go where a value was: the edges of what the schema knows. */
const VALUES = [
  'null', 'true', '0', '-0', '-1', '1.5', '1e400', '9007199254740993', '18446744073709551615', '18446744073709551616', '1e17', '""', '"/"',
  '"\\u0000"', '"\\ud800"', '".."', '"a/../b"', '[]', '{}', '[null]', '[{}]', '{"":""}', '{"__proto__":{}}', '[[[[[]]]]]', '"x=y"', '"0-3,7"',
];

/** Puts text over one JSON value, so that the result is mostly JSON still. */
function replaceValue(text: string, random: Random): string {
  const values = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!\s*:)|-?\d+|true|false|null|\{\}|\[\]/g)];
  if (values.length === 0) return text;
  const { 0: old, index } = pick(values, random);
  return text.slice(0, index) + pick(VALUES, random) + text.slice(index + old.length);
}

/** Gives one property the name of another. */
function renameProperty(text: string, random: Random): string {
  const names = [...text.matchAll(/"[A-Za-z]+"(?=\s*:)/g)];
  if (names.length === 0) return text;
  const { 0: old, index } = pick(names, random);
  return text.slice(0, index) + pick(names, random)[0] + text.slice(index + old.length);
}

/** Takes out, doubles or changes characters anywhere, structure included. */
function breakCharacters(text: string, random: Random): string {
  const at = random(text.length + 1);
  const cut = random(8);
  const put = pick(['', '{', '}', '[', ']', ',', ':', '"', '\\', '\0', '\u202e', '\n', '99999999999999999999', text.slice(at, at + 40)], random);
  return text.slice(0, at) + put + text.slice(at + cut);
}

/** Moves a stretch from one place to another. */
function splice(text: string, random: Random): string {
  const from = random(text.length + 1);
  const at = random(text.length + 1);
  return text.slice(0, at) + text.slice(from, from + random(200)) + text.slice(at);
}

const MUTATIONS = [replaceValue, replaceValue, replaceValue, renameProperty, breakCharacters, splice] as const;

const bigAsText = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value);

/** Runs one reader; gives what is wrong with its answer, if anything. */
function flaw(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!(error instanceof DelosError)) return error instanceof Error ? (error.stack ?? error.message) : String(error);
    return /^\P{Cc}{1,500}$/u.test(error.message) ? undefined : `a message that is not one short line: ${JSON.stringify(error.message)}`;
  }
}

function readConfig(text: string): void {
  const config = parseConfig(text);
  const written = JSON.stringify(config, bigAsText);
  if (!written.includes('n"') && !isDeepStrictEqual(parseConfig(written), JSON.parse(written))) throw new Error('is read back differently');
  checkConfig(config);
}

/** Every reader on one text, as a string and as bytes. */
function flawOf(text: string): string | undefined {
  return flaw(() => readConfig(text))
    ?? flaw(() => parseConfig(Buffer.from(text)))
    ?? flaw(() => checkProcess(parseProcess(text)))
    ?? flaw(() => parseResources(text));
}

function main(): number {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } } });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const random = generator(seed);
  const podman = JSON.parse(readFileSync(new URL('../test/fixtures/podman-config.json', import.meta.url), 'utf8')) as object;
  const full = fullConfig();
  const seeds = [podman, full, full.process, full.linux.resources, defaultConfig({ rootless: true })].map((part) => JSON.stringify(part));
  const end = Date.now() + Number(values.seconds) * 1000;
  let runs = 0;
  for (; Date.now() < end; runs++) {
    let text = pick(seeds, random);
    for (let left = 1 + random(1 + random(6)); left > 0; left--) text = pick(MUTATIONS, random)(text, random);
    const found = flawOf(text);
    if (found !== undefined) {
      console.error(`seed ${seed}, run ${runs}: ${found}\n${text}`);
      return 1;
    }
  }
  console.log(`config: ${runs} texts, seed ${seed}: each a Config or a DelosError`);
  return 0;
}

/** A good configuration with a value for the properties podman leaves out. */
function fullConfig() {
  const ids = [{ containerID: 0, hostID: 100000, size: 65536 }];
  return {
    ...defaultConfig({ rootless: true, uid: 1000, gid: 1000 }),
    domainname: 'example',
    hooks: { createRuntime: [{ path: '/bin/true', args: ['true'], env: ['A=b'], timeout: 3 }] },
    mounts: [{ destination: '/a', source: '/b', type: 'bind', options: ['bind', 'idmap'], uidMappings: ids, gidMappings: ids }],
    process: {
      cwd: '/', args: ['sh'], env: ['A=b'], user: { uid: 1, gid: 2, umask: 18, additionalGids: [3] }, consoleSize: { height: 25, width: 80 },
      rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: 9007199254740991 }], oomScoreAdj: 5,
      scheduler: { policy: 'SCHED_DEADLINE', flags: ['SCHED_FLAG_RECLAIM'], runtime: 10000, deadline: 20000, period: 20000 },
      ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 4 }, execCPUAffinity: { initial: '0', final: '0-1' },
    },
    linux: {
      namespaces: ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'].map((type) => ({ type })),
      uidMappings: ids, gidMappings: ids, timeOffsets: { boottime: { secs: 86400, nanosecs: 1 } },
      devices: [{ type: 'c', path: '/dev/x', major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0 }], netDevices: { eth0: { name: 'eth1' } },
      cgroupsPath: '/a/b', rootfsPropagation: 'rslave', sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.sem': '1' },
      seccomp: {
        defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1, architectures: ['SCMP_ARCH_X86_64'],
        syscalls: [{ names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 8, valueTwo: 0, op: 'SCMP_CMP_EQ' }] }],
      },
      resources: {
        devices: [{ allow: true, type: 'c', major: 1, minor: -1, access: 'rwm' }], memory: { limit: 1, swap: -1, swappiness: 60 },
        cpu: { shares: 1024, quota: -1, cpus: '0-1' }, pids: { limit: 9 }, blockIO: { weight: 10, weightDevice: [{ major: 8, minor: 0, weight: 10 }] },
        hugepageLimits: [{ pageSize: '2MB', limit: 0 }], network: { classID: 1, priorities: [{ name: 'eth0', priority: 1 }] },
        rdma: { mlx5_1: { hcaHandles: 3 } }, unified: { 'memory.high': '1' },
      },
      memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] }, personality: { domain: 'LINUX32' },
    },
  };
}

process.exitCode = main();
