// SCMP_ACT_NOTIFY: what the agent at linux.seccomp.listenerPath is told of a container, and of the process that the listener is for.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { makeBundle, script } from '../support/bundle.ts';
import { runDelos } from '../support/delos.ts';
import { launch } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

/** What stays behind would keep the pipes of the command open. */
const silent = ['sh', '-c', 'exec "$0" "$@" >/dev/null 2>&1'];

/** config-linux.md "The Container Process State". */
interface ProcessState {
  readonly ociVersion: string;
  readonly fds: readonly string[];
  readonly pid: number;
  readonly metadata?: string;
  readonly state: { readonly ociVersion: string; readonly id: string; readonly status: string; readonly pid: number; readonly bundle: string; readonly annotations?: object };
}

/** Listens for what runtimes send, one connection a process. It lets go of the listeners: nobody in these tests makes the call. */
class Agent implements AsyncDisposable {
  readonly #server: net.Server;
  readonly #states: ProcessState[] = [];

  private constructor(server: net.Server) {
    this.#server = server.on('connection', (socket) => {
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => {
        this.#states.push(JSON.parse(text) as ProcessState);
        server.emit('state');
      });
    });
  }

  static async at(socket: string): Promise<Agent> {
    const server = net.createServer({ allowHalfOpen: true }).listen(socket);
    await once(server, 'listening');
    return new Agent(server);
  }

  async next(): Promise<ProcessState> {
    if (this.#states.length === 0) await once(this.#server, 'state', { signal: AbortSignal.timeout(5000) });
    const state = this.#states.shift();
    assert.ok(state);
    return state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.unref();
  }
}

for (const noNewPrivileges of [true, false]) {
  test(`the agent is told the container's own state, and the pid of each process (noNewPrivileges: ${noNewPrivileges})`, { skip }, async () => {
    const before = leaks();
    using bundle = makeBundle();
    const socket = path.join(bundle.path, 'agent');
    {
      await using agent = await Agent.at(socket);
      bundle.configure(script('exec sleep 300', (config) => ({
        ...config, annotations: { key: 'value' }, process: { ...config.process, noNewPrivileges },
        linux: { ...config.linux, seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW', listenerPath: socket, listenerMetadata: 'ours', syscalls: [{ names: ['personality'], action: 'SCMP_ACT_NOTIFY' }],
        } },
      })));
      using container = launch(bundle);
      const { id, pid } = container;
      const common = { ociVersion: '1.2.0', fds: ['seccompFd'], metadata: 'ours' };
      const state = { ociVersion: '1.2.0', id, bundle: bundle.path, annotations: { key: 'value' }, pid };
      const made = await agent.next();
      const { ociVersion } = made;
      assert.deepEqual(made, { ...common, ociVersion, pid, state: { ...state, ociVersion, status: 'creating' } });
      const pidFile = path.join(bundle.path, 'pid');
      assert.equal(runDelos(['exec', '--detach', '--pid-file', pidFile, id, 'sleep', '300'], { through: silent }).status, 0);
      const own = Number(fs.readFileSync(pidFile, 'utf8'));
      assert.notEqual(own, pid);
      assert.deepEqual(await agent.next(), { ...common, ociVersion, pid: own, state: { ...state, ociVersion, status: 'running' } });
    }
    await assertNoLeaks(before);
  });
}

test('a process in a container that waits for start is told as one of a created container', { skip }, async () => {
  using bundle = makeBundle();
  const socket = path.join(bundle.path, 'agent');
  await using agent = await Agent.at(socket);
  bundle.configure((config) => ({
    ...config, linux: { ...config.linux, seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: socket, syscalls: [{ names: ['personality'], action: 'SCMP_ACT_NOTIFY' }] } },
  }));
  const id = newId();
  assert.equal(runDelos(['create', id], { bundle, through: silent }).status, 0);
  const { pid, state } = await agent.next();
  assert.equal(state.pid, pid);
  assert.equal(runDelos(['exec', id, 'true']).status, 0);
  const inside = await agent.next();
  assert.deepEqual(inside.state, { ...state, status: 'created' });
  assert.notEqual(inside.pid, pid);
  assert.equal(runDelos(['delete', '--force', id]).status, 0);
});
