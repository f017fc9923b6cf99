import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RegistryProcess {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** The lines of its access log that have all of these words. */
  requests(...words: readonly string[]): string[];
  /** A folder for the test's own files. Gone after the test. */
  readonly folder: string;
}

/** One that wants to know who asks. bcrypt, a test vector of its authors. */
export const user = { name: 'tester', password: 'U*U', line: 'tester:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' } as const;

/** Debian's docker-registry on a free port of the loopback, empty. Gone after the test. @param isPrivate only for {@link user} */
export async function startRegistry(context: TestContext, isPrivate = false): Promise<RegistryProcess> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-registry-'));
  const host = `127.0.0.1:${await freePort()}`;
  const log = path.join(folder, 'log');
  fs.writeFileSync(path.join(folder, 'config.yml'), [
    'version: 0.1', `storage: {filesystem: {rootdirectory: ${folder}/data}, delete: {enabled: true}}`, `http: {addr: "${host}"}`, 'log: {level: warn}',
    ...(isPrivate ? [`auth: {htpasswd: {realm: test, path: ${folder}/users}}`] : []), '',
  ].join('\n'));
  if (isPrivate) fs.writeFileSync(path.join(folder, 'users'), `${user.line}\n`);
  const output = fs.openSync(log, 'w');
  const child = spawn('docker-registry', ['serve', path.join(folder, 'config.yml')], { stdio: ['ignore', output, output], env: { PATH: process.env['PATH'] } });
  fs.closeSync(output);
  context.after(async () => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
    fs.rmSync(folder, { recursive: true, force: true });
  });
  for (let tries = 0; !(await fetch(`http://${host}/v2/`).then(({ ok, status }) => ok || status === 401, () => false)); tries++) {
    if (tries > 100 || child.exitCode !== null) throw new Error(`docker-registry does not start: ${fs.readFileSync(log, 'utf8')}`);
    await sleep(50);
  }
  return {
    host, folder,
    requests: (...words) => linesOf(log).filter((line) => [' HTTP/1.1" ', ...words].every((word) => line.includes(word))),
  };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function linesOf(file: string): string[] {
  return fs.readFileSync(file, 'utf8').split('\n');
}
