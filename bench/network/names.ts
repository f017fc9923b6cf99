import { execFileSync } from 'node:child_process';
import { root } from '../../tools/files.ts';
import type { Engine } from './engines.ts';

const QUESTIONS = 1000;

/**
 * What the client runs in its container: asks the name server of /etc/resolv.conf for the address of `target`, each time when the last answer has
 * come, and prints the median in milliseconds. RFC 1035, 4.1: a header that wants recursion, one question, of type A and class IN.
 */
const client = `
  const [, server] = /^nameserver (.*)$/m.exec(require('fs').readFileSync('/etc/resolv.conf', 'utf8'));
  const question = Buffer.from('\\0\\0\\x01\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\x06target\\0\\0\\x01\\0\\x01', 'latin1');
  const socket = require('dgram').createSocket('udp4');
  const times = [];
  let asked;
  const ask = () => {
    asked = performance.now();
    socket.send(question, 53, server);
  };
  socket.on('message', (answer) => {
    times.push(performance.now() - asked);
    if (answer.readUInt16BE(6) === 0) throw new Error('nobody is called so');
    if (times.length < ${QUESTIONS}) return ask();
    console.log(times.sort((a, b) => a - b)[${QUESTIONS / 2}]);
    socket.close();
  });
  ask();
  setTimeout(() => process.exit(1), 20_000).unref();
`;

/** How long a container waits for the address of another one by its name: the median in milliseconds. */
export function nameTime({ command, run }: Engine): number {
  const call = ([program = '', ...words]: readonly string[]): string => execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  call(command('network', 'create', 'bench-names'));
  try {
    call(run(['-d', '--name', 'target', '--network', 'bench-names'], '/', 'sleep', '60'));
    return Number(call(run(['--rm', '--network', 'bench-names'], '/', `${root}/build/node`, '-e', client)));
  } finally {
    call(command('rm', '-f', 'target'));
    call(command('network', 'rm', 'bench-names'));
  }
}
