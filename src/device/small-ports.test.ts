import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anyAccess, assertResumes, Bench } from '../../test/support/device-bench.ts';
import { debugConsole, debugExit, PostPort } from './debug-ports.ts';
import { Port92 } from './port92.ts';
import { ResetPort } from './reset-port.ts';

test('a byte at CF9h resets with the rise of bit 2; a double word at CF8h is PCI\'s and does not', () => {
  const bench = new Bench();
  bench.bus.ports.attach(0xcf8, 4, new ResetPort(() => bench.log.push('reset')));
  bench.out(0xcf9, 0x02);
  bench.out(0xcf9, 0x06);
  assert.deepEqual([bench.logged(), bench.in(0xcf9)], [['reset'], 0x06]);
  bench.out(0xcf9, 0x0e);
  assert.deepEqual(bench.logged(), [], 'it was up already');
  bench.out(0xcf9, 0x00);
  bench.out(0xcf8, 0x80000600, 4);
  bench.out(0xcf8, 0x0600, 2);
  assert.deepEqual([bench.logged(), bench.in(0xcf8, 4), bench.in(0xcf8), bench.in(0xcfa, 2)], [[], 0xffffffff, 0xff, 0xffff]);
});

test('port 92h: address line 20 and the reset', () => {
  const bench = new Bench();
  bench.bus.ports.attach(0x92, 1, new Port92(bench.line('a20'), () => bench.log.push('reset')));
  bench.out(0x92, 0xfe);
  assert.deepEqual([bench.in(0x92), bench.logged()], [0x02, ['a20+']]);
  bench.out(0x92, 0x01);
  assert.deepEqual(bench.logged(), ['a20-', 'reset']);
});

test('the debug ports', () => {
  const bench = new Bench();
  bench.bus.ports.attach(0x80, 1, new PostPort());
  bench.bus.ports.attach(0x402, 1, debugConsole((byte) => bench.log.push(String.fromCharCode(byte))));
  bench.bus.ports.attach(0xf4, 4, debugExit((status) => bench.log.push(`exit ${status}`)));
  bench.out(0x80, 0x55);
  bench.out(0x402, 0x41);
  bench.out(0xf4, 0x10, 4);
  bench.out(0xf4, 0);
  assert.deepEqual([bench.in(0x80), bench.in(0x402), bench.in(0xf4), bench.logged()], [0x55, 0xe9, 0, ['A', 'exit 33', 'exit 1']]);
});

test('restored ones go on as the saved ones', () => {
  assertResumes((bench) => {
    const reset = (): void => void bench.log.push('reset');
    const [post, port92, port] = [new PostPort(), new Port92(bench.line('a20'), reset), new ResetPort(reset)];
    bench.bus.ports.attach(0x80, 1, post);
    bench.bus.ports.attach(0x92, 1, port92);
    bench.bus.ports.attach(0xcf8, 4, port);
    bench.stateful.push(post, port92, port);
    return {};
  }, () => [anyAccess(0x80, 0x92, 0xcf9)]);
});
