/** Debian's perl, OpenSSL and glibc under Debian's kernel, on the interpreter with and without regions: they find what they find on this machine's processor. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { initramfs, type InitramfsEntry } from '../../src/boot/initramfs.ts';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { Machine } from '../../src/machine/machine.ts';
import { packageKernel } from '../../tools/vm/package-kernel.ts';
import { floatBytes } from '../support/float-module.ts';
import { noBusybox } from '../support/linux-guest.ts';

const script = join(import.meta.dirname, 'programs.sh');
const programs = ['/usr/bin/openssl', '/usr/bin/perl'];
const missing = programs.find((program) => !existsSync(program));

/** Without what the processor that is written here does not have: fused products give other last digits. */
const plain = { ...process.env, GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4,-AVX512F' };

const init = `#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
echo @BEGIN
/bin/busybox sh /programs.sh
echo @END
/bin/busybox poweroff -f
`;

/** What the dynamic linker finds for a program. */
const librariesOf = (program: string): string[] => [...spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.matchAll(/\/\S+/g)].map(([library]) => library);

function withPrograms(): Uint8Array {
  const files = new Map<string, Uint8Array | string>([['bin/busybox', '/bin/busybox'], ['programs.sh', script], ['init', new TextEncoder().encode(init)]]);
  for (const file of programs.flatMap((program) => [program, ...librariesOf(program)])) files.set(file.slice(1), file);
  const folders = new Set(['dev', 'usr']);
  for (const file of files.keys()) file.split('/').slice(0, -1).forEach((_, depth, parts) => folders.add(parts.slice(0, depth + 1).join('/')));
  return initramfs([
    ...[...folders].map((path): InitramfsEntry => ({ kind: 'folder', path })),
    { kind: 'device', path: 'dev/console', type: 'character', major: 5, minor: 1 },
    { kind: 'link', path: 'usr/bin/sh', target: '/bin/busybox' },
    ...[...files].map(([path, from]): InitramfsEntry => ({ kind: 'file', path, mode: 0o755, data: typeof from === 'string' ? new Uint8Array(readFileSync(from)) : from })),
  ]);
}

async function saidInGuest(regions: boolean): Promise<string> {
  const said: number[] = [];
  const kernel = new Uint8Array(readFileSync(packageKernel({ name: 'linux-image-cloud-amd64' })));
  using machine = new Machine({
    start: { kind: 'kernel', kernel, initrd: withPrograms(), commandLine: 'console=ttyS0 quiet panic=-1' },
    memory: 512 * 2 ** 20, engine: createInterpreter(floatBytes, { regions }), serial: [(byte) => said.push(byte)],
    cpuid: softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true }),
  });
  await machine.run(AbortSignal.timeout(900_000));
  const text = Buffer.from(said).toString().replaceAll('\r', '');
  return /@BEGIN\n(.*)@END/s.exec(text)?.[1] ?? text;
}

for (const regions of [true, false]) {
  test(`programs calculate as on this processor, ${regions ? 'with' : 'without'} regions`, { skip: noBusybox || (missing !== undefined && `there is no ${missing}`) }, async () => {
    const { stdout } = spawnSync('/bin/busybox', ['sh', script], { encoding: 'utf8', env: { ...plain, PATH: '/usr/bin:/bin' } });
    assert.match(stdout, /SHA2-512.*of 10007 keys/s);
    assert.equal(await saidInGuest(regions), stdout);
  });
}
