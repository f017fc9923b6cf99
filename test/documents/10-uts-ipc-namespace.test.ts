/**
 * Number 10, references 2.10.10.a-g: the names of a container and its interprocess communication. What the document got wrong and is
 * checked right here: an IPC namespace keeps System V objects and POSIX message queues apart; POSIX shared memory and semaphores,
 * which it lists, are files in /dev/shm, so it is the mount that keeps those apart.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { script, type Bundle, type TestConfig } from '../support/bundle.ts';
import { attempt } from '../support/container.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';
import { noContainers, planned, printed, refusal } from './claims.ts';

/**
 * `ipc make NAME`: one object of each kind, System V ones with a key of the name. `ipc show NAME`: which of them are there, a letter
 * each: Memory, Semaphores, message Queue of System V; q a POSIX queue, m and s POSIX memory and semaphore. `ipc remove NAME`.
 */
const source = `
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>
int main(int argc, char **argv) {
	int make = !strcmp(argv[1], "make"), flags = make ? IPC_CREAT | 0600 : 0, key = 5381;
	char name[64];
	for (char *c = argv[2]; *c; c++) key = key * 33 + *c;
	snprintf(name, sizeof name, "/%s", argv[2]);
	int memory = shmget(key, 4096, flags), semaphores = semget(key, 1, flags), queue = msgget(key, flags);
	mqd_t posix_queue = mq_open(name, make ? O_CREAT | O_RDWR : O_RDONLY, 0600, NULL);
	int posix_memory = shm_open(name, make ? O_CREAT | O_RDWR : O_RDONLY, 0600);
	sem_t *posix_semaphore = sem_open(name, make ? O_CREAT : 0, 0600, 1);
	if (!strcmp(argv[1], "remove")) {
		shmctl(memory, IPC_RMID, NULL), semctl(semaphores, 0, IPC_RMID), msgctl(queue, IPC_RMID, NULL);
		mq_unlink(name), shm_unlink(name), sem_unlink(name);
	} else
		printf("%s%s%s%s%s%s\\n", memory < 0 ? "" : "M", semaphores < 0 ? "" : "S", queue < 0 ? "" : "Q", posix_queue < 0 ? "" : "q",
			posix_memory < 0 ? "" : "m", posix_semaphore == SEM_FAILED ? "" : "s");
	return 0;
}`;

const folder = fs.mkdtempSync(`/tmp/${marker}-`);
const program = path.join(folder, 'ipc');
after(() => fs.rmSync(folder, { recursive: true }));

function onHost(action: string, name: string): string {
  return spawnSync(program, [action, name], { encoding: 'utf8' }).stdout.trim();
}

const image = (_rootfs: string, bundle: Bundle): void => fs.copyFileSync(program, path.join(bundle.rootfs, 'ipc'));

/** With the host's IPC namespace, and its own everything else. */
function hostsIpc(config: TestConfig): TestConfig {
  return {
    ...config,
    mounts: config.mounts.filter(({ destination }) => destination !== '/dev/mqueue'),
    linux: { ...config.linux, namespaces: config.linux.namespaces.filter(({ type }) => type !== 'ipc') },
  };
}

/** With the host's /dev/shm, and its own everything else. */
function hostsShm(config: TestConfig): TestConfig {
  return { ...config, mounts: config.mounts.map((mount) => (mount.destination === '/dev/shm' ? { destination: '/dev/shm', type: 'bind', source: '/dev/shm', options: ['bind'] } : mount)) };
}

test('test_uts_ipc_namespace', { skip: noContainers || skipUnless('gcc') }, async (context) => {
  const { status, stderr } = spawnSync('gcc', ['-static', '-O1', '-o', program, '-x', 'c', '-'], { input: source, encoding: 'utf8' });
  assert.equal(status, 0, stderr);

  await context.test('host and domain name are set inside and stay as they were outside', async () => {
    const domain = (): string => fs.readFileSync('/proc/sys/kernel/domainname', 'utf8');
    const before = [os.hostname(), domain()];
    const named = (config: TestConfig): TestConfig => ({ ...config, hostname: 'container-host', domainname: 'container.local' });
    assert.equal(await printed('hostname; cat /proc/sys/kernel/domainname', named), 'container-host\ncontainer.local\n');
    assert.deepEqual([os.hostname(), domain()], before);
  });

  await context.test('without a domain name it is not set: the one of the host is seen', async () => {
    assert.ok(!planned((config) => config).some(({ call }) => call === 'setdomainname'));
    assert.equal(await printed('hostname; cat /proc/sys/kernel/domainname'), `contained\n${fs.readFileSync('/proc/sys/kernel/domainname', 'utf8')}`);
  });

  await context.test('a name of 64 bytes is taken, a longer one is refused before any call, and so is one without a namespace', async () => {
    const longest = 'h'.repeat(64);
    assert.equal(await printed('hostname', (config) => ({ ...config, hostname: longest })), `${longest}\n`);
    assert.match(await refusal((config) => ({ ...config, hostname: `${longest}h` })), /^hostname: expected .*64/);
    assert.match(await refusal((config) => ({ ...config, domainname: `${longest}d` })), /^domainname: expected .*64/);
    assert.match(await refusal((config) => ({ ...config, linux: { ...config.linux, namespaces: config.linux.namespaces.filter(({ type }) => type !== 'uts') } })), /^hostname: /);
  });

  await context.test('nothing of the host\'s is seen inside, and nothing made inside is seen outside', async () => {
    const [ours, theirs] = [`${marker}-outside`, `${marker}-inside`];
    try {
      assert.equal(onHost('make', ours), 'MSQqms');
      assert.equal(await printed(`/ipc show ${ours}; /ipc make ${theirs}; ls /dev/mqueue /dev/shm`, undefined, { image }), `\nMSQqms\n/dev/mqueue:\n${theirs}\n\n/dev/shm:\n${theirs}\nsem.${theirs}\n`);
      assert.equal(onHost('show', theirs), '');
    } finally {
      onHost('remove', ours);
    }
    assert.equal(onHost('show', ours), '');
  });

  await context.test('System V objects and POSIX queues go with the IPC namespace, POSIX memory and semaphores with /dev/shm', async () => {
    const ours = `${marker}-shared`;
    try {
      onHost('make', ours);
      const seen = async (change: (config: TestConfig) => TestConfig): Promise<string> => (await attempt({ config: script(`/ipc show ${ours}`, change), image })).stdout;
      assert.equal(await seen(hostsIpc), 'MSQq\n');
      assert.equal(await seen(hostsShm), 'ms\n');
    } finally {
      onHost('remove', ours);
    }
  });
});
