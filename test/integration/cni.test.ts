import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Everyday } from '../support/everyday.ts';
import { ip, playHost, World } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const port = 18_081;
const skip = skipUnless('root', 'ip', 'nsenter', 'iptables-save', 'busybox') || (fs.existsSync('/usr/lib/cni/bridge') ? false : 'needs /usr/lib/cni (Debian: containernetworking-plugins)');

/** A folder of configurations for the `delos` that is run, and where the plugins keep their leases. */
class Configurations implements Disposable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-cni-'));
  readonly leases = path.join(this.folder, 'leases');

  constructor() {
    process.env['NETCONFPATH'] = this.folder;
  }

  write(name: string, ...plugins: readonly object[]): void {
    fs.writeFileSync(path.join(this.folder, `${name}.conflist`), JSON.stringify({ cniVersion: '1.0.0', name, plugins }));
  }

  /** Debian's own plugins, as a host would have them. */
  writeUsual(name: string): void {
    this.write(
      name,
      {
        type: 'bridge', bridge: 'cni-test', isGateway: true, ipMasq: true, hairpinMode: true, capabilities: { ips: true, mac: true },
        ipam: { type: 'host-local', dataDir: this.leases, ranges: [[{ subnet: '10.77.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
        dns: { nameservers: ['10.77.0.53'], search: ['cni.test'] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
      { type: 'firewall', backend: 'iptables' },
    );
  }

  /** A plugin that is a script. @returns the folder for CNI_PATH */
  script(name: string, text: string): string {
    fs.writeFileSync(path.join(this.folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return this.folder;
  }

  held(): string[] {
    return fs.existsSync(this.leases) ? fs.readdirSync(this.leases, { recursive: true, encoding: 'utf8' }).filter((name) => /\d+\.\d+\.\d+\.\d+$/.test(name) && !name.includes('last')) : [];
  }

  [Symbol.dispose](): void {
    delete process.env['NETCONFPATH'];
    delete process.env['CNI_PATH'];
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

async function answered(address: string, world: World): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { stdout } = await promisify(execFile)('nsenter', [`--net=${world.path}`, 'timeout', '3', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port} && head -n 1 <&3`]).catch(() => ({ stdout: '' }));
    if (stdout !== '' || attempt === 20) return stdout.trim();
    await sleep(50);
  }
}

/** What the plugins have made on the host. */
async function remains(): Promise<{ links: string; rules: string[] }> {
  const { stdout } = await promisify(execFile)('iptables-save');
  return { links: ip('-brief link show type veth'), rules: stdout.split('\n').filter((line) => line.includes('10.77.0.')) };
}

test('the plugins of Debian: address, way out, published port; nothing left', { skip }, async () => {
  using _ = playHost();
  using world = new World();
  using configurations = new Configurations();
  configurations.writeUsual('usual');
  await using everyday = new Everyday();
  const before = await remains();
  everyday.output('run', '-d', '--name', 'web', '--network', 'cni:usual', '--ip', '10.77.0.9', '-p', `${port}:80`, 'host', 'busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside');
  assert.equal(await answered('203.0.113.1', world), 'inside');
  assert.match(everyday.output('exec', 'web', 'ip', '-brief', 'address', 'show', 'eth0'), /^eth0@\S+ +UP +10\.77\.0\.9\/24 /);
  everyday.output('exec', 'web', 'ping', '-c', '1', '-W', '2', '203.0.113.2');
  assert.equal(everyday.output('exec', 'web', 'cat', '/etc/resolv.conf'), 'search cni.test\nnameserver 10.77.0.53\n');
  assert.match(everyday.output('exec', 'web', 'cat', '/etc/hosts'), /^10\.77\.0\.9\t[0-9a-f]{12}$/m);
  assert.equal(everyday.output('port', 'web'), `80/tcp -> 0.0.0.0:${port}\n`);
  assert.equal(everyday.output('inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'web'), '10.77.0.9\n');
  assert.deepEqual(configurations.held().map((name) => path.basename(name)), ['10.77.0.9']);
  everyday.output('rm', '-f', 'web');
  assert.deepEqual(await remains(), before);
  assert.deepEqual(configurations.held(), []);
  assert.ok(!fs.readFileSync('/proc/self/mountinfo', 'utf8').includes(everyday.data));
});

test('a network whose configuration is gone is left all the same, after kill -9 of the container and its monitor', { skip }, async () => {
  using _ = playHost();
  using world = new World();
  assert.ok(world);
  using configurations = new Configurations();
  configurations.writeUsual('usual');
  await using everyday = new Everyday();
  const before = await remains();
  everyday.output('run', '-d', '--name', 'web', '--network', 'cni:usual', '-p', `${port}:80`, 'host', 'sleep', '1000');
  fs.rmSync(path.join(configurations.folder, 'usual.conflist'));
  const pid = Number(everyday.output('inspect', '-f', '{{.State.Pid}}', 'web'));
  const monitor = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  for (const victim of [monitor, pid]) process.kill(victim, 'SIGKILL');
  for (let i = 0; i < 100 && fs.existsSync(`/proc/${pid}`); i++) await sleep(20);
  assert.notEqual(configurations.held().length, 0);
  everyday.output('rm', 'web');
  assert.deepEqual(await remains(), before);
  assert.deepEqual(configurations.held(), []);
});

test('a plugin that fails: those before it take back, in reverse, and it is told in one line', { skip }, async () => {
  using _ = playHost();
  using configurations = new Configurations();
  const log = path.join(configurations.folder, 'log');
  const good = (name: string): string => configurations.script(name, `cat > ${log}.${name}; echo "$CNI_COMMAND ${name} $CNI_IFNAME" >> ${log}; echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.9.9.9/24"}]}'`);
  process.env['CNI_PATH'] = good('first');
  good('second');
  configurations.script('bad', `cat > ${log}.bad; echo "$CNI_COMMAND bad $CNI_IFNAME" >> ${log}; [ $CNI_COMMAND = DEL ] || { printf '%s' '{"cniVersion": "1.0.0", "code": 11, "msg": "come\\n back", "details": "later"}'; exit 1; }`);
  configurations.script('slow', 'exec sleep 100');
  configurations.script('chatty', 'yes');
  configurations.script('mute', 'cat > /dev/null; exit 3');
  configurations.script('odd', 'cat > /dev/null; echo hello');
  configurations.write('broken', { type: 'first' }, { type: 'second' }, { type: 'bad' });
  await using everyday = new Everyday();
  const refused = (network: string, ...flags: string[]): string => {
    const { status, stderr } = everyday.delos('run', '--rm', '--network', `cni:${network}`, ...flags, 'host', 'true');
    assert.notEqual(status, 0);
    assert.match(stderr, /^delos: [^\n]+\n$/);
    return stderr.slice('delos: '.length, -1);
  };
  assert.equal(refused('broken'), 'CNI plugin bad, ADD: come back: later');
  assert.equal(fs.readFileSync(log, 'utf8'), 'ADD first eth0\nADD second eth0\nADD bad eth0\nDEL bad eth0\nDEL second eth0\nDEL first eth0\n');
  for (const [name, line] of [
    ['chatty', 'CNI plugin chatty, ADD: it was killed: it printed more than 1048576 bytes'],
    ['mute', 'CNI plugin mute, ADD: it ended with 3 and no word'],
    ['odd', 'CNI plugin odd, ADD: it printed no JSON object: hello'],
    ['absent', `CNI plugin absent: it is not in ${configurations.folder}`],
  ] as const) {
    configurations.write(`with-${name}`, { type: name });
    assert.equal(refused(`with-${name}`), line);
  }
  assert.equal(refused('broken', '-p', '8080:80'), 'network broken: none of its plugins has the capability portMappings');
  assert.match(refused('nowhere'), /^no network nowhere in \S+: there is broken, with-absent, /);
  assert.deepEqual(everyday.names(), []);
});
