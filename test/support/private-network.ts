import { execFile, execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import { promisify } from 'node:util';
import { CLONE_NEWNET } from '../../src/abi/clone.ts';
import { insideNetwork } from '../../src/netlink/namespace.ts';
import { syscall } from '../../src/sys/syscall.ts';

/**
 * A network namespace of its own for this thread, which from now on plays the host, and for the processes it starts; sockets of Node are made
 * by this thread too. So nothing that a test does to devices, routes and rules is seen outside, and all of it goes with the process, or when
 * this is disposed of, which brings the thread back.
 */
export function playHost(): Disposable {
  const home = fs.openSync('/proc/thread-self/ns/net', 'r');
  syscall('unshare', CLONE_NEWNET);
  ip('link set lo up');
  // What another network namespace has may be taken over.
  for (const setting of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) fs.writeFileSync(`/proc/sys/net/${setting}`, '0');
  return {
    [Symbol.dispose]: () => {
      syscall('setns', home, CLONE_NEWNET);
      fs.closeSync(home);
    },
  };
}

/** `ip WORDS` on the host that is played. */
export function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8' });
}

/** An element of a set or a map, as `nft -j` prints them. */
interface NftSet {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** What the host that is played has of containers in networks: their devices, and what the packet filter has of them. Bridges and rules may stay. */
export function tracesOfContainers(): { readonly devices: string[]; readonly elements: string[] } {
  const devices = fs.readFileSync('/proc/thread-self/net/dev', 'utf8').match(/\bdv[0-9a-f]{12}\b/g) ?? [];
  const { nftables } = JSON.parse(execFileSync('nft', ['-j', 'list', 'ruleset'], { encoding: 'utf8' })) as { nftables: { set?: NftSet; map?: NftSet }[] };
  const sets = nftables.flatMap(({ set, map }) => set ?? map ?? []).filter(({ name, elem = [] }) => /^(?:from|to|publish)/.test(name) && elem.length > 0);
  return { devices: [...devices], elements: sets.map(({ name, elem }) => `${name} ${JSON.stringify(elem)}`) };
}

/** A network namespace without a process, as of a container or a host elsewhere. */
export class Elsewhere implements Disposable {
  readonly descriptor: number;

  constructor() {
    const home = fs.openSync('/proc/thread-self/ns/net', 'r');
    syscall('unshare', CLONE_NEWNET);
    this.descriptor = fs.openSync('/proc/thread-self/ns/net', 'r');
    syscall('setns', home, CLONE_NEWNET);
    fs.closeSync(home);
  }

  /** A path that opens it, in this process and its children. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.descriptor}`;
  }

  /** Runs a command there to its end. */
  run(...words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    return spawnSync('nsenter', [`--net=${this.path}`, ...words], { encoding: 'utf8', timeout: 90_000 });
  }

  /** The output of a command that has to work. */
  output(...words: readonly string[]): string {
    return execFileSync('nsenter', [`--net=${this.path}`, ...words], { encoding: 'utf8', timeout: 90_000 });
  }

  /** Whether one echo is answered. */
  pings(address: string, ...options: readonly string[]): boolean {
    return this.run('ping', '-c', '1', '-W', '2', ...options, address).status === 0;
  }

  /** A server that greets each client with a word and the address that it sees the client come from. */
  greets(port: number, word: string): Disposable {
    // Without an address the socket is made at once, while this thread is there.
    const server = insideNetwork(this.descriptor, () => net.createServer((client) => client.on('error', () => {}).end(`${word} ${client.remoteAddress}`)).listen(port));
    return { [Symbol.dispose]: () => void server.close() };
  }

  /** What the server at an address says to a client here. Rejects when there is no answer in four seconds. */
  hears(host: string, port: number): Promise<string> {
    return listen('nsenter', [`--net=${this.path}`, process.execPath, '-e', client, host, String(port)]);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.descriptor);
  }
}

/** What the server at an address says to a client of the host. Rejects when there is no answer in four seconds. */
export function hears(host: string, port: number): Promise<string> {
  return listen(process.execPath, ['-e', client, host, String(port)]);
}

/** Node makes a client's socket later than it is asked for, so a client elsewhere is a process. */
const client = `
  const [host, port] = process.argv.slice(1);
  const client = require('node:net').connect({ host, port: Number(port), timeout: 4000 });
  client.on('timeout', () => client.destroy(new Error('no answer'))).pipe(process.stdout);
`;

async function listen(program: string, words: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, words, { encoding: 'utf8', timeout: 60_000 });
  return stdout.replace('::ffff:', '');
}

/**
 * The world: a host at 203.0.113.2 and 2001:db8::2, which knows no way to containers; the host that is played is 203.0.113.1 and
 * 2001:db8::1. What is between them goes with it.
 */
export class World extends Elsewhere {
  constructor() {
    super();
    ip('link add uplink mtu 1400 type veth peer name world');
    execFileSync('ip', ['link', 'set', 'world', 'netns', this.path]);
    for (const words of ['addr add 203.0.113.1/24 dev uplink', 'addr add 2001:db8::1/64 dev uplink nodad', 'link set uplink up']) ip(words);
    for (const words of ['link set lo up', 'addr add 203.0.113.2/24 dev world', 'addr add 2001:db8::2/64 dev world nodad', 'link set world mtu 1400 up']) this.output('ip', ...words.split(' '));
    ip('route add default via 203.0.113.2');
  }

  override [Symbol.dispose](): void {
    ip('link delete uplink');
    super[Symbol.dispose]();
  }
}
