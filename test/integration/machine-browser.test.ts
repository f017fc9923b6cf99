import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';
import { transform } from 'esbuild';
import { root } from '../../tools/files.ts';
import { echoGuest } from '../support/echo-guest.ts';

/** V8 with what a page has that is no language, and nothing of Node; a page that is not isolated has no SharedArrayBuffer. */
function page(): vm.Context {
  const context = vm.createContext({ performance, setTimeout, clearTimeout, TextEncoder, TextDecoder, AbortController, MessageChannel, atob, queueMicrotask });
  vm.runInContext('delete globalThis.SharedArrayBuffer', context);
  return context;
}

test("the browser's bundle runs a guest where there is no Node and no SharedArrayBuffer", { timeout: 60_000 }, async () => {
  const context = page();
  const bundle = readFileSync(join(root, 'build/machine-browser.js'), 'utf8');
  vm.runInContext((await transform(bundle, { format: 'iife', globalName: 'delos' })).code, context);
  const told = (await vm.runInContext(
    `(async () => {
      const machine = new delos.Machine({ code: Uint8Array.from(${JSON.stringify(echoGuest)}), memory: '1m' });
      const running = machine.run();
      const asked = await machine.serial.waitFor('?');
      machine.send('x');
      const end = await running;
      machine.close();
      return JSON.stringify({ node: [typeof process, typeof Buffer, typeof require, typeof SharedArrayBuffer], asked, end, text: machine.serial.text, engine: machine.engine });
    })()`,
    context,
  )) as string;
  const undefinedAll = Array.from({ length: 4 }, () => 'undefined');
  assert.deepEqual(JSON.parse(told), { node: undefinedAll, asked: '?', end: { kind: 'debug-exit', status: 7 }, text: '?x', engine: 'interpreter' });
});
