import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { DelosError } from '../../lib/errors.ts';
import { portText, type PublishedPort } from '../published-port.ts';
import type { UserMode } from './start.ts';

/** Where it serves requests, in the container's folder and only until the ports are published. */
const apiSocket = 'slirp4netns.sock';

/** Descriptors it is told of: one whose end ends it, and one it writes to when the device is configured. */
const [exitFd, readyFd] = [3, 4];

/** Its answers are lines of some dozens of bytes. */
const longestAnswer = 4096;

/** slirp4netns(1): a device with 10.0.2.100/24, all of IPv4. Its host's loopback is out of reach. */
export const slirp4netns: UserMode = {
  interface: 'eth0',
  four: '10.0.2.100',
  resolver: '10.0.2.3',
  reachesHost: true,
  command: (program, pid, ports) => [
    program, '--configure', '--mtu=65520', '--disable-host-loopback', '--enable-sandbox', '--enable-seccomp', `--exit-fd=${exitFd}`, `--ready-fd=${readyFd}`,
    ...(ports.length > 0 ? [`--api-socket=${apiSocket}`] : []), String(pid), 'eth0',
  ],
  descriptors: (whileOpen, log) => ['ignore', log, log, whileOpen, 'pipe'],
  ready: async ({ stdio }) => {
    const [byte] = (await once(stdio[readyFd] as Readable, 'data')) as [Buffer];
    if (byte.length === 0) throw new Error('assertion: data without a byte');
  },
  publish: async (folder, ports) => {
    for (const port of ports) await publishPort(folder, port);
    fs.rmSync(path.join(folder, apiSocket), { force: true });
  },
  checkPort: (port) => {
    if (port.hostAddress?.includes(':') === true) throw new DelosError('unsupported', `--network slirp4netns: ${portText(port)}: it publishes addresses of IPv4 alone`);
  },
};

/** slirp4netns(1) "API SOCKET": one request to a connection, whose end is the end of the request. */
async function publishPort(folder: string, port: PublishedPort): Promise<void> {
  const { protocol: proto, hostAddress = '', hostPort: host_port, containerPort: guest_port } = port;
  const request = { execute: 'add_hostfwd', arguments: { proto, host_addr: hostAddress === '' ? '0.0.0.0' : hostAddress, host_port, guest_port } };
  const answer = await ask(folder, JSON.stringify(request));
  if (!answer.includes('"return"')) {
    throw new DelosError('network-in-use', `${portText(port)}: slirp4netns cannot publish it: ${/"desc": *"([^"]*)"/.exec(answer)?.[1] ?? answer.trim()}`);
  }
}

async function ask(folder: string, request: string): Promise<string> {
  const directory = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    // The whole path can be longer than the 107 bytes of an address.
    const socket = net.connect(`/proc/self/fd/${directory}/${apiSocket}`).setEncoding('utf8');
    await once(socket, 'connect');
    socket.end(request);
    let answer = '';
    for await (const piece of socket) if (answer.length < longestAnswer) answer += piece as string;
    return answer;
  } catch (cause) {
    throw new DelosError('unsupported', `--network slirp4netns: it does not answer: ${(cause as Error).message}`, { cause });
  } finally {
    fs.closeSync(directory);
  }
}
