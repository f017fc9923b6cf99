import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import type { Capabilities, Config, Linux, Process } from '../../src/oci/config/types.ts';
import { defaultConfig } from '../../src/oci/default-config.ts';
import { marker } from './marker.ts';

/** The configuration that `change` gets: everything a test wants to alter is there. */
export interface TestConfig extends Config {
  readonly process: Process & { readonly args: readonly string[]; readonly env: readonly string[]; readonly capabilities: Capabilities };
  readonly root: { readonly path: string; readonly readonly?: boolean };
  readonly mounts: NonNullable<Config['mounts']>;
  readonly linux: Linux & { readonly namespaces: NonNullable<Linux['namespaces']> };
}

/** A bundle in a temporary folder that goes when it is disposed of: `using bundle = makeBundle(...)`. */
export interface Bundle extends Disposable {
  /** Absolute; holds config.json and rootfs. */
  readonly path: string;
  readonly rootfs: string;
  /** Writes another configuration into it. */
  configure(change: ConfigChange): void;
}

/** Gives config.json, which need not be a good one. A string is written as it is. */
export type ConfigChange = (config: TestConfig) => unknown;

/**
 * A bundle with busybox and its applets, /tmp and /etc/passwd in its root, which can be written to. Its configuration is
 * `runc spec`'s without a terminal and with a cgroup namespace, running `true`.
 * @param wanted which applets: all four hundred when left out, which take longer to make than a container takes to run
 */
export function makeBundle(change: ConfigChange = (config) => config, wanted: (applet: string) => boolean = () => true): Bundle {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${marker}-`));
  // Root of a user namespace has to find its way in.
  fs.chmodSync(folder, 0o755);
  const rootfs = path.join(folder, 'rootfs');
  makeRootfs(rootfs, wanted);
  const configure = (how: ConfigChange): void => {
    const config = how(testConfig());
    fs.writeFileSync(path.join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  };
  configure(change);
  return { path: folder, rootfs, configure, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 }) };
}

/** A value without one of its properties. */
export function without<T extends object, K extends keyof T>(value: T, property: K): Omit<T, K> {
  const { [property]: gone, ...rest } = value;
  void gone;
  return rest;
}

/** A change that runs a shell script, after the other changes. */
export function script(text: string, change: ConfigChange = (config) => config): ConfigChange {
  return (config) => {
    const changed = change(config) as TestConfig;
    return { ...changed, process: { ...changed.process, args: ['sh', '-c', text] } };
  };
}

/** The configuration before any change. */
export function testConfig(): TestConfig {
  const config = defaultConfig({ rootless: false });
  const env = [...(config.process?.env ?? []), `DELOS_TEST=${marker}`];
  return {
    ...config,
    hostname: 'contained',
    process: { cwd: '/', capabilities: {}, ...config.process, terminal: false, args: ['true'], env },
    root: { path: 'rootfs', readonly: false },
    mounts: config.mounts ?? [],
    linux: { ...config.linux, namespaces: [...(config.linux?.namespaces ?? []), { type: 'cgroup' }] },
  };
}

let applets: readonly string[] | undefined;

function makeRootfs(rootfs: string, wanted: (applet: string) => boolean): void {
  for (const folder of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'root']) fs.mkdirSync(path.join(rootfs, folder), { recursive: true });
  fs.chmodSync(path.join(rootfs, 'tmp'), 0o1777);
  fs.writeFileSync(path.join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n');
  fs.writeFileSync(path.join(rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
  const busybox = path.join(rootfs, 'bin/busybox');
  // Never a link to the host's: an attack that succeeds would write to it.
  fs.copyFileSync('/usr/bin/busybox', busybox);
  applets ??= spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
  for (const applet of applets.filter(wanted)) fs.symlinkSync('busybox', path.join(rootfs, 'bin', applet));
}
