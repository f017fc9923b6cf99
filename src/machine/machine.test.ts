import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatBytes } from '../../test/support/float-module.ts';
import { cpuState } from '../cpu/state.ts';
import { createInterpreter } from '../engine/interpreter.ts';
import { Machine } from './machine.ts';

test('a handler whose first byte can not be fetched, so that it is entered without end, does not keep the thread', async () => {
  const start = { kind: 'flat', code: Uint8Array.of(0xf4), address: 0x7c00 } as const;
  using machine = new Machine({ start, memory: 2 ** 20, engine: createInterpreter(floatBytes), cpuid: () => [0, 0, 0, 0] });
  // As a system leaves it that comes back from protected mode with a small code segment: the limit stays, and all code is behind it.
  machine.cpu.state.setUint32(cpuState.fields.csLimit.offset, 0, true);
  assert.deepEqual(await machine.run(AbortSignal.timeout(50)), { kind: 'stopped' });
});
