import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeAnswer, parseRequest, requestSize, type PlannerRequest } from '../../src/cli/oci/planner/protocol.ts';
import { cold, PlannerStage } from '../support/planner-stage.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'unshare', 'nsenter');
const lost = { status: 1, stderr: 'delos-oci: the planner ended before it had answered; what was asked may be done in part\n' };

/** What stands in for a planner: it gets the whole request. */
type Answerer = (connection: net.Socket, asked: PlannerRequest) => unknown;

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a front against something that answers as no planner of ours would. */
async function answered(stage: PlannerStage, answer: Answerer, through: readonly string[] = []): Promise<Ended> {
  const server = net.createServer({ allowHalfOpen: true }, (connection) => {
    let bytes = Buffer.alloc(0);
    connection.on('error', () => undefined).on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length === requestSize(bytes)) answer(connection, parseRequest(bytes));
    });
  });
  fs.rmSync(stage.socket, { force: true });
  await once(server.listen(stage.socket), 'listening');
  try {
    return await ended(stage, through);
  } finally {
    server.close();
  }
}

async function ended(stage: PlannerStage, through: readonly string[]): Promise<Ended> {
  const [program = '', ...args] = stage.command(...through, path.join(stage.build, 'delos-oci'), 'state', 'a b', '');
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 15_000, killSignal: 'SIGKILL' });
  const [stdout, stderr, [status, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null, string | null]>]);
  return { status, signal, stdout, stderr };
}

function outcome({ status, stderr }: Ended): { status: number | null; stderr: string } {
  return { status, stderr };
}

test('a request is the working directory, the words and the environment', { skip }, async () => {
  await using stage = await PlannerStage.open();
  let asked: PlannerRequest | undefined;
  const found = await answered(stage, (connection, request) => {
    asked = request;
    connection.end(encodeAnswer('done', 7, 'out\n', 'err\n'));
  }, ['env', '-i', '--chdir=/usr', 'A=1', 'B=2=3']);
  assert.deepEqual(found, { status: 7, signal: null, stdout: 'out\n', stderr: 'err\n' });
  assert.deepEqual([asked?.cwd, asked?.argv, asked?.env], ['/usr', ['state', 'a b', ''], { A: '1', B: '2=3' }]);
});

test('an answer in pieces of any size is one answer', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const output = 'x'.repeat(300_000);
  const found = await answered(stage, async (connection) => {
    const bytes = encodeAnswer('done', 0, output, 'err\n');
    for (let at = 0; at < 20; at++) {
      connection.write(bytes.subarray(at, at + 1));
      await sleep(2);
    }
    connection.end(bytes.subarray(20));
  });
  assert.deepEqual(found, { status: 0, signal: null, stdout: output, stderr: 'err\n' });
});

test('a planner that goes before it answers: cold if it has not read the request, else one line', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const answers = encodeAnswer('done', 0, 'x'.repeat(1000), '');
  assert.deepEqual(outcome(await answered(stage, (connection) => connection.destroy())), lost);
  assert.deepEqual(outcome(await answered(stage, (connection) => connection.end(answers.subarray(0, 7)))), lost);
  assert.deepEqual(outcome(await answered(stage, (connection) => connection.end(answers.subarray(0, 500)))), lost);
  assert.deepEqual(outcome(await answered(stage, (connection) => connection.end(encodeAnswer('cold', 0, '', '')))), cold);
  const withoutPlan = outcome(await answered(stage, (connection) => connection.end(encodeAnswer('plan', 0, '', ''))));
  assert.deepEqual(withoutPlan, { status: 1, stderr: 'delos-oci: the plan did not arrive; are too many descriptors open?\n' });
  fs.rmSync(stage.socket, { force: true });
  const deaf = net.createServer({ pauseOnConnect: true }, (connection) => void setTimeout(() => connection.destroy(), 100));
  await once(deaf.listen(stage.socket), 'listening');
  assert.deepEqual(outcome(await ended(stage, [])), cold);
  deaf.close();
});

test('a planner that takes its time has it, once it has read the request', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const found = await answered(stage, (connection) => setTimeout(() => connection.end(encodeAnswer('done', 0, 'late', '')), 4000));
  assert.deepEqual(found, { status: 0, signal: null, stdout: 'late', stderr: '' });
});

test('a closed stdin, stdout or stderr is left to Node; nothing is written into the connection', { skip }, async () => {
  await using stage = await PlannerStage.open();
  for (const closing of ['<&-', '>&-', '2>&-']) {
    let asked = 0;
    const found = await answered(stage, (connection) => {
      asked++;
      connection.end(encodeAnswer('done', 0, 'out', 'err'));
    }, ['sh', '-c', `exec "$@" ${closing}`, 'sh']);
    assert.deepEqual([found.status, asked], [cold.status, 0], closing);
  }
});

test('a working directory that was removed is no obstacle to what needs none', { skip }, async () => {
  await using stage = await PlannerStage.open();
  fs.symlinkSync(path.resolve(import.meta.dirname, '../../build/node'), path.join(stage.build, 'node'));
  const away = ['sh', '-c', 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', path.join(stage.build, 'gone')];
  const state = stage.run(['state', 'nobody'], away);
  assert.equal(state.status, 1);
  assert.match(state.stderr, /^time=\S+ level=error msg="[^\n]*nobody[^\n]* does not exist"\n$/);
  const create = stage.run(['create', 'nobody'], away);
  assert.equal(create.status, 1);
  assert.match(create.stderr, /^time=\S+ level=error msg="[^\n]*\/proc\/self\/cwd[^\n]*"\n$/);
});

test('output that nobody reads is an error of one line; errors that nobody reads are none', { skip }, async () => {
  await using stage = await PlannerStage.open();
  // More than a pipe holds: it cannot all be written before `true` has gone.
  const answer: Answerer = (connection) => connection.end(encodeAnswer('done', 0, 'x'.repeat(200_000), 'err\n'));
  const unwritten = 'delos-oci: the output cannot be written\n';
  const full = await answered(stage, answer, ['sh', '-c', 'exec "$@" >/dev/full', 'sh']);
  assert.deepEqual([full.status, full.stderr], [1, `err\n${unwritten}`]);
  const gone = await answered(stage, answer, ['sh', '-c', '{ "$@"; echo "status $?" >&2; } | true', 'sh']);
  assert.equal(gone.stderr, `err\n${unwritten}status 1\n`);
  const quiet = await answered(stage, answer, ['sh', '-c', 'exec "$@" 2>/dev/full', 'sh']);
  assert.deepEqual([quiet.status, quiet.stdout.length], [0, 200_000]);
});

test('a full pipe that does not block is waited for', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const fifo = path.join(stage.build, 'fifo');
  const output = 'x'.repeat(200_000);
  await once(spawn('mkfifo', [fifo]), 'exit');
  const descriptor = fs.openSync(fifo, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  const server = net.createServer((connection) => void connection.once('data', () => connection.end(encodeAnswer('done', 3, output, ''))));
  await once(server.listen(stage.socket), 'listening');
  try {
    const child = spawn(...stage.front('state', 'a'), { stdio: ['ignore', descriptor, 'inherit'] });
    const exit = once(child, 'exit');
    await sleep(300);
    assert.equal(child.exitCode, null, 'it waits');
    let read = 0;
    for (const piece = Buffer.alloc(65_536); read < output.length; await sleep(5)) {
      try {
        read += fs.readSync(descriptor, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
    }
    assert.equal((await exit)[0], 3);
    assert.equal(read, output.length);
  } finally {
    fs.closeSync(descriptor);
    server.close();
  }
});
