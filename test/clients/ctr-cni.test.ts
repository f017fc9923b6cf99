/** `ctr run --cni`: containerd's client connects its containers by `bin/delos-cni` to Delos's bridge; the runtime is runc, or Delos too. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../support/skip.ts';
import { Containerd } from './containerd.ts';
import { delosOci } from './planner.ts';
import { Stage } from './stage.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ctr', 'containerd', 'containerd-shim-runc-v2', 'ip', 'nft')
  || (fs.existsSync('/etc/cni') ? false : 'there is no folder /etc/cni, where ctr looks for configurations');

const networks = `${Stage.folder}/networks`;

/** ctr knows these two places alone. */
async function configure({ stage }: Containerd): Promise<void> {
  for (const place of ['/etc/cni', '/opt']) assert.equal((await stage.run(['mount', '-t', 'tmpfs', 'tmpfs', place])).status, 0);
  for (const folder of ['/etc/cni/net.d', '/opt/cni/bin']) fs.mkdirSync(stage.outside(folder), { recursive: true });
  fs.symlinkSync(path.resolve(import.meta.dirname, '../../bin/delos-cni'), stage.outside('/opt/cni/bin/delos-cni'));
  fs.writeFileSync(stage.outside('/etc/cni/net.d/10-delos.conflist'), JSON.stringify({ cniVersion: '1.0.0', name: 'delos', plugins: [{ type: 'delos-cni', root: networks }] }));
}

/** The files of leases there are. */
function leases({ stage }: Containerd): string[] {
  const folder = stage.outside(`${networks}/networks/bridge/leases`);
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
}

for (const [name, runtime] of [['runc', () => '/usr/sbin/runc'], ['delos-oci', () => delosOci]] as const) {
  test(`a container of containerd with ${name} has an address of our bridge and reaches the host; afterwards nothing is left`, { skip: skip || (fs.existsSync(runtime()) ? false : `${name} is not installed`) }, async () => {
    await using containerd = await Containerd.open(runtime);
    await configure(containerd);
    const script = 'ip -4 -o addr show eth0; ip route; ping -c 1 -W 2 10.210.0.1 > /dev/null && echo reached';
    const { status, stdout, stderr } = await containerd.run(['--rm', '--cni'], 'connected', 'sh', '-c', script);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /inet 10\.210\.0\.2\/16 [^]*default via 10\.210\.0\.1 dev eth0 [^]*reached\n$/);
    assert.deepEqual(leases(containerd), []);
    assert.doesNotMatch((await containerd.stage.run(['ip', '-brief', 'link'])).stdout, /^dv/m);
  });
}
