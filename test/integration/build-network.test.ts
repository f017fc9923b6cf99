// The network of commands, in a network namespace that plays the host; and an image from a registry to begin with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuildContext, shellStage } from '../support/build-context.ts';
import { until } from '../support/container.ts';
import { Everyday } from '../support/everyday.ts';
import { playHost, tracesOfContainers } from '../support/private-network.ts';
import { startRegistry } from '../support/registry-process.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ip', 'nft');
if (skip === false) playHost();

test('a command of root is on the bridge, and what is made for it is taken back', { skip }, async () => {
  await using everyday = new Everyday();
  using context = new BuildContext([...shellStage, 'RUN ip -4 -o addr show eth0 > /address; cat /etc/resolv.conf > /resolver', 'RUN --network=none ls /sys/class/net > /none', 'CMD ["/bin/cat", "/address", "/none"]']);
  everyday.output('build', '-q', '-t', 'net', context.folder);
  assert.match(everyday.output('run', '--rm', '--network', 'none', 'net'), /inet 10\.210\.0\.\d+\/16[^]*\nlo\n$/);
  await until('the kernel has removed the devices', () => tracesOfContainers().devices.length === 0);
  assert.deepEqual(tracesOfContainers().elements, []);
  // The files of its network are none of the image's.
  assert.equal(everyday.output('run', '--rm', '--network', 'host', 'net', '/bin/sh', '-c', 'ls /etc 2>/dev/null | /bin/grep -c hostname; true'), '0\n');
});

test('FROM an image of a registry, again with --pull', { skip: skip || skipUnless('docker-registry') }, async (context) => {
  await using everyday = new Everyday();
  const { host } = await startRegistry(context);
  const name = `${host}/team/base:1`;
  using base = new BuildContext([...shellStage, 'RUN echo first > /which']);
  const build = (folder: string, ...words: string[]): void => void everyday.output('build', '-q', '--network', 'none', ...words, folder);
  build(base.folder, '-t', name);
  everyday.output('push', '-q', name);
  everyday.output('rmi', name);
  using child = new BuildContext([`FROM ${name}`, 'CMD ["/bin/cat", "/which"]']);
  build(child.folder, '-t', 'child');
  assert.equal(everyday.output('run', '--rm', '--network', 'none', 'child'), 'first\n');
  base.write('Dockerfile', [...shellStage, 'RUN echo second > /which', ''].join('\n'));
  build(base.folder, '-t', name);
  everyday.output('push', '-q', name);
  everyday.output('tag', 'child', name);
  build(child.folder, '-t', 'child', '--pull');
  assert.equal(everyday.output('run', '--rm', '--network', 'none', 'child'), 'second\n');
});
