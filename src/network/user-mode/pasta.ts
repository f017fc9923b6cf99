import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishedPort } from '../published-port.ts';
import type { UserMode } from './start.ts';

/** Appears in the container's folder when the device is configured. */
const pidFile = 'pasta.pid';

const pollMs = 3;

/**
 * pasta stays when the processes of a namespace are gone, so a shell beside it waits for the end of the connection on standard input, and
 * ends their process group. As long as the shell is there, no other group gets that number.
 */
const besideShell = 'exec 3<&0; { read -r end; kill 0; } <&3 & exec "$@" 3<&- </dev/null';

/**
 * pasta(1): a device with the addresses of the host's own, both families. Without `none` it would forward every port that
 * somebody listens at, also from the container to the host's loopback.
 */
export const pasta: UserMode = {
  interface: 'eth0',
  reachesHost: false,
  command: (program, pid, ports) => [
    '/bin/sh', '-c', besideShell, 'delos', program, '--config-net', '--foreground', '--ns-ifname', 'eth0', '--no-map-gw', '--pid', pidFile,
    ...specification('-t', ports.filter(({ protocol }) => protocol === 'tcp')), ...specification('-u', ports.filter(({ protocol }) => protocol === 'udp')),
    '-T', 'none', '-U', 'none', String(pid),
  ],
  descriptors: (whileOpen, log) => [whileOpen, log, log],
  ready: async (child, folder) => {
    const file = path.join(folder, pidFile);
    while (child.exitCode === null && child.signalCode === null && !fs.existsSync(file)) await sleep(pollMs);
    fs.rmSync(file, { force: true });
  },
  publish: () => Promise.resolve(),
  checkPort: () => {},
};

function specification(flag: string, ports: readonly PublishedPort[]): string[] {
  if (ports.length === 0) return [flag, 'none'];
  return ports.flatMap(({ hostAddress = '', hostPort, containerPort }) => [flag, `${hostAddress === '' ? '' : `${hostAddress}/`}${hostPort}:${containerPort}`]);
}
