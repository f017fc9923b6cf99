import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { find } from '../containers/runtimes.ts';
import { delosCommand, podmanLimits } from './engines.ts';
import { iperfArguments, rateOf } from './rate.ts';

const PORT = 18_522;
const NOBODY = 65534;

/** As nobody, who gets a /dev/net/tun that he may open and ids of his own to map. Arguments: the device, /etc/subuid, and what is run. */
const asNobody = `
  mount --bind "$1" /dev/net/tun
  mount --bind "$2" /etc/subuid
  mount --bind "$2" /etc/subgid
  shift 2
  exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups -- "$@"
`;

/** slirp4netns leaves the host's loopback out of reach. */
function hostAddress(): string | undefined {
  return Object.values(os.networkInterfaces()).flat().find((address) => address?.internal === false && address.family === 'IPv4')?.address;
}

/** A root file system with a program and the libraries it names. It belongs to nobody, who has nothing else that podman would take. */
function makeRootfs(folder: string, program: string): string {
  const rootfs = `${folder}/rootless-rootfs`;
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const inside of ['/dev', '/proc', '/sys', '/tmp', '/etc']) fs.mkdirSync(rootfs + inside, { recursive: true });
  for (const file of [program, ...libraries]) {
    fs.mkdirSync(path.dirname(rootfs + file), { recursive: true });
    fs.copyFileSync(file, rootfs + file);
  }
  for (const name of ['', ...fs.readdirSync(rootfs, { recursive: true, encoding: 'utf8' })]) fs.chownSync(path.join(rootfs, name), NOBODY, NOBODY);
  return rootfs;
}

/** What each engine runs as an ordinary user; podman by runc, since crun refuses such a user's containers beside cgroup v1. */
function contestants(rootfs: string, client: readonly string[]): { readonly name: string; readonly command: readonly string[] }[] {
  const ours = { name: 'delos', command: [...delosCommand, 'run', '--rm', '--network', 'slirp4netns', rootfs, ...client] };
  const [podman, runc] = [find('podman'), find('runc')];
  if (podman === undefined || runc === undefined) return [ours];
  return [ours, { name: 'podman', command: [podman, '--cgroup-manager', 'cgroupfs', '--runtime', runc, 'run', '--rm', ...podmanLimits, '--network', 'slirp4netns', '--rootfs', rootfs, ...client] }];
}

/** Gigabits a second out of a container of an ordinary user's to a server on the host, through slirp4netns. */
export async function rootlessRates(folder: string): Promise<{ name: string; gigabits: number }[]> {
  const [iperf, address] = [find('iperf3'), hostAddress()];
  if (iperf === undefined || address === undefined || find('slirp4netns') === undefined) return [];
  const [home, tun, ids] = [`${folder}/home`, `${folder}/tun`, `${folder}/ids`];
  fs.mkdirSync(`${home}/run`, { recursive: true });
  for (const one of [home, `${home}/run`]) fs.chownSync(one, NOBODY, NOBODY);
  fs.chmodSync(folder, 0o755);
  if (!fs.existsSync(tun)) execFileSync('mknod', ['-m', '666', tun, 'c', '10', '200']);
  fs.writeFileSync(ids, 'nobody:100000:65536\n');
  const env = { PATH: process.env['PATH'], HOME: home, XDG_RUNTIME_DIR: `${home}/run`, XDG_DATA_HOME: `${home}/data` };
  const rootfs = makeRootfs(folder, iperf);
  const rates = [];
  for (const { name, command } of contestants(rootfs, [iperf, ...iperfArguments(address), '-p', String(PORT)])) {
    const server = spawn('iperf3', ['-s', '-1', '-p', String(PORT)], { stdio: 'ignore' });
    try {
      await sleep(300);
      const printed = execFileSync('unshare', ['--mount', 'sh', '-euc', asNobody, 'sh', tun, ids, ...command], { encoding: 'utf8', env, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 });
      rates.push({ name, gigabits: rateOf(printed) });
    } finally {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    }
  }
  return rates;
}
