import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatBytes } from '../../../test/support/float-module.ts';
import { softwareCpuid } from '../../cpu/cpuid.ts';
import { createInterpreter } from '../../engine/interpreter.ts';
import { Machine } from '../machine.ts';
import { exitText, type MachineExit } from './exit.ts';
import { ExitTable } from './exit-table.ts';
import { tracedEngine, type TraceSinks } from './traced.ts';

const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: 1e9, hypervisor: true });

/** Runs real-mode code at 7C00h to its end, with one megabyte of memory. */
async function run(code: string, sinks: TraceSinks): Promise<void> {
  using machine = new Machine({
    start: { kind: 'flat', code: Uint8Array.from(Buffer.from(code, 'hex')), address: 0x7c00 }, memory: 1 << 20, cpuid, engine: tracedEngine(createInterpreter(floatBytes), sinks),
  });
  assert.deepEqual(await machine.run(AbortSignal.timeout(20_000)), { kind: 'debug-exit', status: 7 });
}

/** xor eax, eax; cpuid; mov ecx, 1Bh; rdmsr; mov ax, FFFFh; mov ds, ax; mov al, [20h]; in al, 64h; mov al, 3; out F4h, al; hlt */
const asking = '6631c0 0fa2 66b91b000000 0f32 b8ffff 8ed8 a02000 e464 b003 e6f4 f4'.replaceAll(' ', '');

test('what a guest asks for, in its order', async () => {
  const exits: MachineExit[] = [];
  await run(asking, { exit: (exit) => exits.push(exit) });
  assert.deepEqual(exits.map(exitText), [
    'Cpuid leaf 0x0', 'MsrRead msr 0x1b value 0xfee00900', 'MmioRead memory 0x100010 size 1 value 0xff', 'IoIn port 0x64 size 1 value 0x14 (i8042)',
    'IoOut port 0xf4 size 1 value 0x3 (debug-exit)',
  ]);
  assert.ok(exits.every(({ nanoseconds }) => nanoseconds >= 0));
});

test('each instruction with the registers that it has changed; each round of a repeated one', async () => {
  const lines: string[] = [];
  // mov di, 0800h; mov cx, 2; rep stosb; mov al, 3; out F4h, al
  await run('bf0008 b90200 f3aa b003 e6f4'.replaceAll(' ', ''), {
    instruction: ({ address, text, changed }) => lines.push(`${address.toString(16)} ${text} ${changed.map(([name, value]) => `${name}=${value}`).join(' ')}`),
  });
  assert.deepEqual(lines, [
    '7c00 mov    di,0x800 rdi=2048', '7c03 mov    cx,0x2 rcx=2', '7c06 rep stos BYTE PTR es:[di],al rcx=1 rdi=2049',
    '7c06 rep stos BYTE PTR es:[di],al rcx=0 rdi=2050', '7c08 mov    al,0x3 rax=3', '7c0a out    0xf4,al ',
  ]);
});

/** xor ax, ax; mov ds, ax; mov word [0], handler; mov [2], ax; div al; mov al, 3; out F4h, al; hlt. The handler: mov al, 1; add word [ss:sp], 2; iret, by bp */
const dividing = '31c0 8ed8 c7060000187c a30200 f6f0 b003 e6f4 f4 90 90 90 90 89e5 83460002 cf'.replaceAll(' ', '');

test('handlers that are entered, from where and to where', async () => {
  const entries: string[] = [];
  await run(dividing, { interrupt: ({ vector, cause, from, to, errorCode }) => entries.push(`${cause} ${vector} ${from.rip.toString(16)} ${to.rip.toString(16)} ${errorCode}`) });
  assert.deepEqual(entries, ['exception 0 7c0d 7c18 undefined']);
});

test('exits are counted by kind and by place', () => {
  const table = new ExitTable();
  for (const [address, nanoseconds] of [[0x3f8, 10], [0x3f8, 30], [0x60, 5]] as const) table.add({ kind: 'IoOut', address, size: 1, nanoseconds });
  table.add({ kind: 'Hlt', nanoseconds: 100 });
  const [most] = table.kinds;
  assert.deepEqual(most, { kind: 'IoOut', place: '', device: undefined, count: 3, total: 45, least: 5, most: 30 });
  assert.deepEqual(table.places.map(({ place, count }) => [place, count]), [['port 0x3f8', 2], ['port 0x60', 1]]);
});
