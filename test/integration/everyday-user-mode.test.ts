import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { userModePrograms, type UserModeProgram } from '../../src/network/user-mode/program.ts';
import { playHost, World } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const build = path.resolve(import.meta.dirname, '../../build');
const port = 18_080;

/** A device of its own for /dev/net/tun, which on some hosts is root's alone; then nobody, whom no file of the host belongs to. */
const asNobody = 'mount --bind "$0" /dev/net/tun && exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"';

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The home of an ordinary user, and its `delos` with a network that the test plays. */
class Home implements AsyncDisposable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-user-mode-'));
  readonly #tun = path.join(this.folder, 'tun');

  static async make(): Promise<Home> {
    const home = new Home();
    fs.mkdirSync(path.join(home.folder, 'run'));
    await home.#run('mknod', '-m', '666', home.#tun, 'c', '10', '200');
    for (const folder of [home.folder, path.join(home.folder, 'run')]) fs.chownSync(folder, 65534, 65534);
    return home;
  }

  /** Does not block: servers of the test answer meanwhile. */
  delos(...words: readonly string[]): Promise<Outcome> {
    return this.#run('unshare', '--mount', 'sh', '-c', asNobody, this.#tun, path.join(build, 'node'), path.join(build, 'delos.cjs'), ...words);
  }

  async output(...words: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.delos(...words);
    assert.equal(status, 0, `delos ${words.join(' ')}: ${stderr}`);
    return stdout;
  }

  /** The process group of a container's network. */
  groupOf(id: string): number {
    const { pid } = JSON.parse(fs.readFileSync(path.join(this.folder, 'data/delos/containers', id, 'user-mode.json'), 'utf8')) as { pid: number };
    return pid;
  }

  #run(program: string, ...words: readonly string[]): Promise<Outcome> {
    const env = { PATH: process.env['PATH'], HOME: this.folder, XDG_RUNTIME_DIR: path.join(this.folder, 'run'), XDG_DATA_HOME: path.join(this.folder, 'data') };
    return new Promise((resolve) => {
      const child = execFile(program, words, { cwd: '/', encoding: 'utf8', timeout: 30_000, env }, (_, stdout, stderr) => resolve({ status: child.exitCode ?? -1, stdout, stderr }));
      child.stdin?.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ids = (await this.delos('ps', '-aq')).stdout.split('\n').filter((id) => id !== '');
    if (ids.length > 0) await this.delos('rm', '-f', ...ids);
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whether all processes of a group go in two seconds. */
async function goes(group: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    try {
      process.kill(-group, 0);
    } catch {
      return true;
    }
    await sleep(20);
  }
  return false;
}

/** What a server says to a client that speaks first. Rejects when there is none. @param through a command that executes its last words */
async function answer(address: string, through: readonly string[] = ['env']): Promise<string> {
  const [program = '', ...words] = through;
  const { stdout } = await promisify(execFile)(program, [...words, 'timeout', '3', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port} && echo >&3 && head -n 1 <&3`]);
  return stdout.trim();
}

/** The same once the server is there. */
async function answered(address: string, through?: readonly string[]): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const heard = await answer(address, through).catch(() => '');
    if (heard !== '' || attempt === 20) return heard;
    await sleep(50);
  }
}

function skipFor(program: UserModeProgram): string | false {
  return skipUnless('root', 'setpriv', 'user namespaces', 'busybox', 'bash', 'ip', program) || (fs.existsSync('/dev/net/tun') ? false : 'there is no /dev/net/tun');
}

for (const program of userModePrograms) {
  test(`${program}: an ordinary user's container reaches out from its first instruction on, and nothing is left`, { skip: skipFor(program) }, async () => {
    using _ = playHost();
    using world = new World();
    using greeter = world.greets(7000, 'you are');
    assert.ok(greeter);
    await using home = await Home.make();
    assert.equal(await home.output('run', '--rm', '--network', program, 'host', 'bash', '-c', 'cat < /dev/tcp/203.0.113.2/7000'), 'you are ::ffff:203.0.113.1');
    assert.deepEqual(fs.readdirSync(path.join(home.folder, 'data/delos/containers')), []);
  });

  test(`${program}: a published port of an ordinary user, until the container stops`, { skip: skipFor(program) }, async () => {
    using _ = playHost();
    using world = new World();
    await using home = await Home.make();
    const id = (await home.output('run', '-d', '--name', 'web', '--network', program, '-p', `${port}:80`, 'host', 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside')).trim();
    assert.equal(await answered('203.0.113.1', ['nsenter', `--net=${world.path}`]), 'inside');
    assert.equal(await answered('127.0.0.1'), 'inside');
    assert.equal(await home.output('port', 'web'), `80/tcp -> 0.0.0.0:${port}\n`);
    const second = await home.delos('run', '--rm', '--network', program, '-p', `${port}:80`, 'host', 'true');
    assert.notEqual(second.status, 0);
    assert.match(second.stderr, /^delos: 0\.0\.0\.0:18080->80\/tcp: a process of the host listens at this port\n$/);
    const group = home.groupOf(id);
    await home.output('stop', '-t', '0', 'web');
    assert.ok(await goes(group));
    await assert.rejects(answer('127.0.0.1'));
    await home.output('start', 'web');
    assert.equal(await answered('203.0.113.1', ['nsenter', `--net=${world.path}`]), 'inside');
  });

  test(`${program}: when all of Delos and the container is killed, the network goes too`, { skip: skipFor(program) }, async () => {
    using _ = playHost();
    using world = new World();
    assert.ok(world);
    await using home = await Home.make();
    const id = (await home.output('run', '-d', '--network', program, 'host', 'sleep', '1000')).trim();
    const group = home.groupOf(id);
    const pid = Number(await home.output('inspect', '-f', '{{.State.Pid}}', id));
    const monitor = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    for (const victim of [monitor, pid]) process.kill(victim, 'SIGKILL');
    assert.ok(await goes(group));
  });
}

test('slirp4netns: its own server answers for names', { skip: skipFor('slirp4netns') }, async () => {
  using _ = playHost();
  using world = new World();
  assert.ok(world);
  await using home = await Home.make();
  assert.match(await home.output('run', '--rm', '--network', 'slirp4netns', '--add-host', 'up:host-gateway', 'host', 'cat', '/etc/resolv.conf', '/etc/hosts'),
    /^nameserver 10\.0\.2\.3\n[^]*^10\.0\.2\.100\t[0-9a-f]{12}\n203\.0\.113\.1\tup$/m);
});

test('what an ordinary user cannot have is said in one line', { skip: skipFor('pasta') }, async () => {
  await using home = await Home.make();
  for (const [words, line] of [
    ['--network back', '--network back: it takes root to connect to a bridge; '],
    ['--network pasta --ip 10.0.0.9', 'conflicting options: --ip and --network pasta'],
    ['--network pasta --add-host up:host-gateway', '--add-host: with --network pasta the container cannot reach this host'],
    ['--network slirp4netns -p [::1]:8080:80', '--network slirp4netns: [::1]:8080->80/tcp: it publishes addresses of IPv4 alone'],
    ['--network pasta -p 203.0.113.77:8080:80', '203.0.113.77:8080->80/tcp: the host does not have this address'],
  ] as const) {
    const { status, stderr } = await home.delos('run', '--rm', ...words.split(' '), 'host', 'true');
    assert.notEqual(status, 0, words);
    assert.ok(stderr.startsWith(`delos: ${line}`) && stderr.indexOf('\n') === stderr.length - 1, stderr);
  }
  assert.deepEqual(fs.readdirSync(path.join(home.folder, 'data/delos/containers')), []);
});
