import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addChain, checkChain, deleteChain, type CniAttachment } from '../../src/network/cni/chain.ts';
import { parseConflist } from '../../src/network/cni/conflist.ts';
import { objectsIn } from '../../src/network/cni/json.ts';
import { allLeases } from '../../src/network/lease.ts';
import { CgroupSweep } from '../clients/cgroup-sweep.ts';
import { Elsewhere, ip, playHost } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const bin = path.resolve(import.meta.dirname, '../../bin');
const skip = skipUnless('root', 'ip', 'ping');
const port = 18_082;

/** A folder of networks that is empty at the end but for the records of the networks. */
class Root implements Disposable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-cni-root-'));

  get leases(): string[] {
    return allLeases(path.join(this.folder, 'networks')).map(({ container }) => container);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `bin/delos-cni` as a runner runs it. */
function plugin(env: Readonly<Record<string, string>>, configuration: object | string): { status: number | null; answer: Record<string, unknown> | undefined } {
  const input = typeof configuration === 'string' ? configuration : JSON.stringify({ cniVersion: '1.0.0', name: 'ours', type: 'delos-cni', ...configuration });
  const { status, stdout, stderr } = spawnSync(path.join(bin, 'delos-cni'), [], { encoding: 'utf8', input, timeout: 30_000, env: { PATH: process.env['PATH'], ...env } });
  assert.equal(stderr, '');
  return { status, answer: stdout === '' ? undefined : JSON.parse(stdout) as Record<string, unknown> };
}

function attachmentOf(root: Root, { path: namespace }: Elsewhere, container: string, wishes: CniAttachment['wishes'] = {}): CniAttachment {
  const capabilities = { portMappings: true, ips: true, mac: true };
  const text = JSON.stringify({ cniVersion: '1.0.0', name: 'ours', plugins: [{ type: 'delos-cni', root: root.folder, capabilities }] });
  return { conflist: parseConflist(text, 'the test'), container, namespace, interface: 'net7', path: [bin], wishes };
}

/** The devices of the host but for the bridges, which stay for the next container. */
function devices(): string[] {
  return ip('-brief link').split('\n').filter((line) => !line.startsWith('delos'));
}

test('a runner adds, checks and deletes: two namespaces talk, and nothing is left', { skip }, async () => {
  using _ = playHost();
  using root = new Root();
  using one = new Elsewhere();
  using other = new Elsewhere();
  const before = devices();
  const first = attachmentOf(root, one, 'first', { ips: ['10.210.0.77'], mac: '02:00:00:00:00:07' });
  const second = attachmentOf(root, other, 'second');
  const result = await addChain(first);
  await addChain(second);
  assert.deepEqual(objectsIn(result, 'ips'), [{ address: '10.210.0.77/16', gateway: '10.210.0.1', interface: 2 }]);
  assert.deepEqual(objectsIn(result, 'interfaces')[2], { name: 'net7', mac: '02:00:00:00:00:07', sandbox: one.path });
  assert.match(one.output('ip', '-brief', 'address', 'show', 'net7'), /10\.210\.0\.77\/16/);
  assert.ok(other.pings('10.210.0.77'));
  await checkChain(first, result);
  await assert.rejects(addChain(first), { code: 'plugin-failed', message: /^CNI plugin delos-cni, ADD: [^\n]+in network bridge already: network-in-use$/ });
  await checkChain(first, result).then(() => assert.fail('a second ADD that fails is taken back'), () => undefined);
  one.run('ip', 'link', 'delete', 'net7');
  for (const attachment of [first, second, first]) await deleteChain(attachment, result);
  await assert.rejects(checkChain(second, result), { message: /it is not connected as net7/ });
  assert.deepEqual(root.leases, []);
  assert.deepEqual(devices(), before);
});

test('STATUS, VERSION, GC, and a DEL without a namespace', { skip }, () => {
  using _ = playHost();
  using root = new Root();
  using where = new Elsewhere();
  const container = { CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_NETNS: where.path };
  assert.deepEqual(plugin({ CNI_COMMAND: 'VERSION' }, {}).answer, { cniVersion: '1.0.0', supportedVersions: ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] });
  assert.deepEqual(plugin({ CNI_COMMAND: 'STATUS' }, {}), { status: 0, answer: undefined });
  assert.equal(plugin({ CNI_COMMAND: 'ADD', ...container }, { root: root.folder, cniVersion: '0.4.0' }).status, 0);
  assert.deepEqual(root.leases, ['cni:c1:eth0']);
  assert.equal(plugin({ CNI_COMMAND: 'GC' }, { root: root.folder, 'cni.dev/valid-attachments': [{ containerID: 'c1', ifname: 'eth0' }] }).status, 0);
  assert.deepEqual(root.leases, ['cni:c1:eth0']);
  assert.equal(plugin({ CNI_COMMAND: 'GC' }, { root: root.folder, 'cni.dev/valid-attachments': [] }).status, 0);
  assert.deepEqual(root.leases, []);
  assert.equal(plugin({ CNI_COMMAND: 'ADD', ...container }, { root: root.folder }).status, 0);
  assert.equal(plugin({ CNI_COMMAND: 'DEL', ...container, CNI_NETNS: '' }, { root: root.folder }).status, 0);
  assert.deepEqual(root.leases, []);
});

test('what is wrong is said in one line, as the specification has it', { skip }, () => {
  using _ = playHost();
  using root = new Root();
  const container = { CNI_COMMAND: 'ADD', CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_NETNS: '/nowhere' };
  for (const [env, configuration, code, message] of [
    [{ ...container, CNI_COMMAND: 'EAT' }, {}, 4, 'CNI_COMMAND: expected ADD, DEL, CHECK, STATUS, GC or VERSION, found "EAT"'],
    [{ ...container, CNI_CONTAINERID: '' }, {}, 4, 'CNI_CONTAINERID: ADD needs it'],
    [{ ...container, CNI_CONTAINERID: '../x' }, {}, 4, 'CNI_CONTAINERID: no id of a container: "../x"'],
    [container, '[]', 6, 'standard input: no object'],
    [container, { cniVersion: '0.2.0' }, 1, 'cniVersion: expected one of 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0, found "0.2.0"'],
    [container, { root: 'here' }, 7, 'root: expected an absolute path, found "here"'],
    [container, { network: 7 }, 7, 'network: expected a string'],
    [{ ...container, CNI_NETNS: '/proc/self/ns/net' }, { network: 'other' }, 7, 'container cni:c1:eth0 has the host\'s network: it is not attached to another one'],
    [{ ...container, CNI_IFNAME: 'a b' }, {}, 7, 'no name of a device: "a b"'],
  ] as const) {
    const { status, answer } = plugin(env, typeof configuration === 'string' ? configuration : { root: root.folder, ...configuration });
    assert.equal(status, 1);
    assert.equal(answer?.['msg'], message);
    assert.equal(answer?.['code'], code);
  }
});

/** `podman ARGS` with our plugin for its networks and folders of its own. Does not block. */
function podman(folder: string, ...args: readonly string[]): Promise<{ status: number | null; output: string }> {
  const globals = ['--root', path.join(folder, 'storage'), '--runroot', path.join(folder, 'run'), '--storage-driver', 'vfs', '--runtime', 'runc'];
  const child = spawn('podman', [...globals, ...args], { env: { PATH: process.env['PATH'], HOME: folder, CONTAINERS_CONF: path.join(folder, 'containers.conf') }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // Its monitor keeps the pipes open.
  return new Promise((resolve) => child.on('exit', (status) => setTimeout(() => resolve({ status, output }), 50)));
}

test('podman connects its containers by our bridge', { skip: skip || skipUnless('podman', 'runc', 'busybox', 'cgroups', 'bash') }, async () => {
  using _ = playHost();
  using root = new Root();
  const { folder } = root;
  fs.mkdirSync(path.join(folder, 'rootfs/bin'), { recursive: true });
  for (const name of ['proc', 'sys', 'dev', 'etc', 'run', 'tmp']) fs.mkdirSync(path.join(folder, 'rootfs', name));
  fs.copyFileSync('/usr/bin/busybox', path.join(folder, 'rootfs/bin/busybox'));
  fs.mkdirSync(path.join(folder, 'net.d'));
  fs.writeFileSync(path.join(folder, 'net.d/ours.conflist'), JSON.stringify({
    cniVersion: '0.4.0', name: 'ours', plugins: [{ type: 'delos-cni', root: folder, capabilities: { portMappings: true, ips: true, mac: true, aliases: true } }],
  }));
  fs.writeFileSync(path.join(folder, 'containers.conf'), `
    [containers]
    default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
    [engine]
    cgroup_manager = "cgroupfs"
    events_logger = "file"
    tmp_dir = "${folder}/tmp"
    [network]
    network_backend = "cni"
    cni_plugin_dirs = ["${bin}"]
    network_config_dir = "${folder}/net.d"
  `);
  const before = devices();
  const cgroups = new CgroupSweep(path.basename(folder));
  try {
    const started = await podman(folder, 'run', '-d', '--cgroups', 'no-conmon', '--cgroup-parent', `/${path.basename(folder)}`, '--name', 'p1', '--network', 'ours', '-p', `${port}:80`, '--rootfs', path.join(folder, 'rootfs'), '/bin/busybox', 'nc', '-ll', '-p', '80', '-e', 'echo', 'inside');
    assert.equal(started.status, 0, started.output);
    assert.equal(root.leases.length, 1);
    let heard = '';
    for (let attempt = 0; attempt < 20 && heard === ''; attempt++) {
      heard = spawnSync('timeout', ['3', 'bash', '-c', `head -n 1 < /dev/tcp/127.0.0.1/${port}`], { encoding: 'utf8' }).stdout;
      if (heard === '') await sleep(100);
    }
    assert.equal(heard, 'inside\n');
  } finally {
    await podman(folder, 'rm', '-f', '-t', '0', 'p1');
    await cgroups.remove();
  }
  assert.deepEqual(root.leases, []);
  assert.deepEqual(devices(), before);
});
