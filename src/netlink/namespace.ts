import fs from 'node:fs';
import { CLONE_NEWNET } from '../abi/clone.ts';
import { syscall } from '../sys/syscall.ts';

/**
 * What `make` gives in another network namespace, such as a socket, which stays there when this thread has returned.
 *
 * setns(2) moves one thread, and rtnetlink offers no other way: IFLA_TARGET_NETNSID reaches links, but not addresses and routes. So
 * this thread goes there and comes back within one synchronous call: no other JavaScript runs on it meanwhile, and Node's other
 * threads stay where they are. A thread that cannot come back would configure the wrong network, so then the process ends.
 * @param namespace a descriptor of it, as of /proc/PID/ns/net
 * @throws SystemCallError of setns(2), or what `make` throws
 */
export function insideNetwork<Made>(namespace: number, make: () => Made): Made {
  const home = fs.openSync('/proc/thread-self/ns/net', 'r');
  try {
    syscall('setns', namespace, CLONE_NEWNET);
    try {
      return make();
    } finally {
      returnTo(home);
    }
  } finally {
    fs.closeSync(home);
  }
}

function returnTo(home: number): void {
  try {
    syscall('setns', home, CLONE_NEWNET);
  } catch (error) {
    fs.writeSync(2, `delos: cannot return from a container's network: ${String(error)}\n`);
    process.abort();
  }
}
