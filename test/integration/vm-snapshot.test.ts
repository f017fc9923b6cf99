/** Snapshots between processes and between engines, by the command line; and what only KVM has to give for them. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { softwareCpuid } from '../../src/cpu/cpuid.ts';
import { cpuState } from '../../src/cpu/state.ts';
import { APIC_TIMER_HERTZ } from '../../src/device/apic-timer.ts';
import { createInterpreter } from '../../src/engine/interpreter.ts';
import { kvm } from '../../src/engine/kvm.ts';
import { DelosError } from '../../src/lib/errors.ts';
import { Machine } from '../../src/machine/machine.ts';
import { SnapshotFile, writeSnapshot } from '../../src/snapshot/file.ts';
import { restore } from '../../src/snapshot/snapshot.ts';
import { root } from '../../tools/files.ts';
import { countedTo, countingGuest } from '../support/counting-guest.ts';
import { floatBytes } from '../support/float-module.ts';
import { noKvm, TestGuest } from '../support/guest.ts';

const folder = fs.mkdtempSync(join(tmpdir(), 'delos-snapshot-'));
after(() => fs.rmSync(folder, { recursive: true }));

const code = join(folder, 'count.bin');
fs.writeFileSync(code, countingGuest.code);
const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: true });
const interpreter = createInterpreter(floatBytes);
const delos = join(root, 'delos');

function start(...words: string[]): ChildProcess {
  return spawn(delos, ['vm', ...words], { stdio: 'ignore', timeout: 60_000 });
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; !what(); tries++) {
    assert.ok(tries < 3000, `it does not come to be: ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
}

const read = (file: string): string => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');

async function ended(child: ChildProcess): Promise<number | null> {
  const [status] = child.exitCode === null ? ((await once(child, 'exit')) as [number | null]) : [child.exitCode];
  return status;
}

/** A machine that counts in a process of its own, written to a file after some numbers. @returns what it said */
async function countAndSave(engine: string, snapshot: string): Promise<string> {
  const [said, socket] = [join(folder, `said-${engine}`), join(folder, `socket-${engine}`)];
  const machine = start('run', '--flat', code, '--memory', '1m', '--engine', engine, '--serial', `file:${said}`, '--control', socket);
  await until(() => read(said).length > 100);
  assert.deepEqual(spawnSync(delos, ['vm', 'snapshot', '--stop', socket, snapshot], { encoding: 'utf8' }).stderr, '');
  assert.equal(await ended(machine), 0);
  assert.equal(fs.existsSync(socket), false);
  return read(said);
}

for (const [from, skip] of [['interpreter', false], ['kvm', noKvm]] as const) {
  test(`a guest that counts on ${from} goes on in a new process without a gap, on each engine`, { skip }, async () => {
    const snapshot = join(folder, `${from}.snapshot`);
    const before = await countAndSave(from, snapshot);
    for (const to of noKvm === false ? ['interpreter', 'kvm'] : ['interpreter']) {
      const said = join(folder, `${from}-${to}`);
      const machine = start('restore', '--engine', to, '--serial', `file:${said}`, ...(to === from ? ['--check-first'] : []), snapshot);
      await until(() => read(said).length > 100);
      machine.kill();
      await ended(machine);
      const all = before + read(said);
      assert.ok(countedTo(all.slice(0, all.lastIndexOf('\n') + 1)) !== undefined, all);
    }
  });
}

/** One that has counted a while, on an engine; closed by the caller. */
async function counted(engine = interpreter): Promise<Machine> {
  const machine = new Machine({ start: countingGuest, memory: 2 ** 20, engine, cpuid });
  await machine.run(AbortSignal.timeout(100));
  return machine;
}

test('memory that was altered is found before it runs, or while it does', async () => {
  const file = join(folder, 'altered');
  using machine = await counted();
  writeSnapshot(machine, file);
  const fd = fs.openSync(file, 'r+');
  fs.writeSync(fd, Buffer.from([0xff]), 0, 1, fs.fstatSync(fd).size - 20);
  fs.closeSync(fd);
  for (const words of [['--check-first'], []]) {
    const { status, stderr } = spawnSync(delos, ['vm', 'restore', '--engine', 'interpreter', '--serial', 'none', ...words, file], { encoding: 'utf8', timeout: 60_000 });
    assert.match(stderr, /altered: its memory at 0x0 is not/);
    assert.deepEqual([stderr.trim().split('\n').length, status === 0], [1, false]);
  }
});

test('zeros take no place in the file, and the file is its owner\'s alone', async () => {
  const file = join(folder, 'sparse');
  using machine = new Machine({ start: countingGuest, memory: 2 ** 26, engine: interpreter, cpuid });
  writeSnapshot(machine, file);
  const { size, blocks, mode } = fs.statSync(file);
  assert.ok(size > 2 ** 26 && blocks * 512 < 2 ** 18, `${blocks} blocks`);
  assert.equal(mode & 0o777, 0o600);
});

test('a restored machine writes into its own memory, not into the file', async () => {
  const file = join(folder, 'kept');
  using machine = await counted();
  writeSnapshot(machine, file);
  const before = fs.readFileSync(file);
  using snapshot = new SnapshotFile(file);
  using other = restore(snapshot, { engine: interpreter });
  await other.run(AbortSignal.timeout(100));
  assert.ok(fs.readFileSync(file).equals(before));
  writeSnapshot(other, file);
  assert.equal(fs.readFileSync(file).equals(before), false, 'over the file that it came from');
  await snapshot.check();
});

test('where it can not be written the file that was there stays, and nothing is left', { skip: process.getuid?.() !== 0 && 'mounting a small file system takes root' }, async () => {
  const small = join(folder, 'small');
  fs.mkdirSync(small);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'delos-test', small]);
  try {
    const file = join(small, 'machine');
    fs.writeFileSync(file, 'old');
    using machine = await counted();
    machine.memory.bytes(0x10000, 0x20000).fill(1);
    assert.throws(() => writeSnapshot(machine, file), (error) => error instanceof DelosError && error.message === `${file}: the snapshot can't be written: there is no space left`);
    assert.deepEqual([fs.readdirSync(small), fs.readFileSync(file, 'utf8')], [['machine'], 'old']);
  } finally {
    execFileSync('umount', [small]);
  }
  using machine = await counted();
  assert.throws(() => writeSnapshot(machine, '/nowhere/x'), /\/nowhere\/x: the snapshot can't be written: ENOENT/);
});

test('what is asked of a running machine', async () => {
  const [socket, said] = [join(folder, 'requests'), join(folder, 'said')];
  const machine = start('run', '--flat', code, '--memory', '1m', '--engine', 'interpreter', '--serial', `file:${said}`, '--control', socket);
  await until(() => read(said).length > 10);
  assert.equal(fs.statSync(socket).mode & 0o777, 0o600);
  const connection = net.connect(socket).setEncoding('utf8');
  const ask = async (line: string): Promise<unknown> => {
    connection.write(`${line}\n`);
    const [answer] = (await once(connection, 'data')) as [string];
    return JSON.parse(answer);
  };
  for (const wrong of ['{}', '[]', 'null', '{"pause":1}', '{"pause":true,"resume":true}', '{"pause":true,"stop":true}', '{"snapshot":""}', '{"halt":true}']) {
    assert.match(JSON.stringify(await ask(wrong)), /^{"error":"a request is/, wrong);
  }
  assert.match(JSON.stringify(await ask('pause')), /no JSON/);
  assert.match(JSON.stringify(await ask('{"snapshot":"/nowhere/x"}')), /can't be written: ENOENT/);
  assert.deepEqual(await ask('{"pause":true}'), { ok: true });
  const paused = read(said);
  await new Promise((resolve) => void setTimeout(resolve, 100));
  assert.equal(read(said), paused);
  assert.deepEqual(await ask('{"resume":true}'), { ok: true });
  await until(() => read(said).length > paused.length);
  assert.match(spawnSync(delos, ['vm', 'run', '--flat', code, '--control', socket], { encoding: 'utf8' }).stderr, /something is there already/);
  assert.deepEqual(await ask(JSON.stringify({ snapshot: join(folder, 'last'), stop: true })), { ok: true });
  assert.equal(await ended(machine), 0);
  assert.match(spawnSync(delos, ['vm', 'snapshot', socket, join(folder, 'x')], { encoding: 'utf8' }).stderr, /no machine listens there: ENOENT/);
});

test('the time-stamp counter and the MSRs that only snapshots ask for go on elsewhere', { skip: noKvm }, async () => {
  const file = join(folder, 'counter');
  const tsc = (machine: Machine): number => Number(new DataView(machine.save().cpus[0]!.registers.buffer).getBigUint64(cpuState.fields.tsc.offset, true));
  using first = await counted();
  const MTRR_DEF_TYPE = 0x2ff;
  first.cpu.setOtherMsrs(new Map([[MTRR_DEF_TYPE, 0xc06n]]));
  let [last, from] = [tsc(first), first];
  for (const engine of [kvm, interpreter]) {
    writeSnapshot(from, file);
    using snapshot = new SnapshotFile(file);
    const next = restore(snapshot, { engine });
    await next.run(AbortSignal.timeout(20));
    const now = tsc(next);
    // By how much is KVM's to say: where it is nested without the processor's help it can't set the counter, and gives the host's.
    assert.ok(now > last, `${engine.name}: ${last} to ${now}`);
    assert.equal(next.cpu.otherMsrs().get(MTRR_DEF_TYPE), 0xc06n);
    if (from !== first) from.close();
    [last, from] = [now, next];
  }
  from.close();
});

test('an interrupt on its way into the processor is delivered before it is saved', { skip: noKvm }, () => {
  let pending = false;
  const interrupts = {
    pending: () => pending,
    acknowledge: () => {
      pending = false;
      return 0x20;
    },
  };
  const handler = 0x2000;
  // sti; jmp to itself
  using guest = new TestGuest([0xfb, 0xeb, 0xfe], { interrupts, registers: { rsp: 0x8000 } });
  guest.memory.bytes(0x80, 4).set([0, 0x20, 0, 0]);
  guest.memory.bytes(handler, 3).set([0x90, 0xeb, 0xfe]);
  for (let tries = 0; guest.get('rip') !== 0x1001 && tries < 100; tries++) guest.run(1e6);
  guest.run(1e6);
  assert.equal(guest.cpu.settle(), undefined);
  assert.equal(guest.get('rip'), 0x1001, 'there was nothing');
  pending = true;
  guest.cpu.kick();
  assert.deepEqual([guest.run(), pending, guest.get('rip')], [{ kind: 'kicked' }, false, 0x1001], 'KVM has it, the guest has not');
  assert.equal(guest.cpu.settle(), undefined);
  assert.deepEqual([Number(guest.get('rip')) >> 4, guest.get('rsp')], [handler >> 4, 0x8000 - 6]);
});
