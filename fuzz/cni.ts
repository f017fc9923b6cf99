// node fuzz/cni.ts [--seconds N] [--seed N]: mutated CNI configurations and results. Each is read, or refused by a DelosError of one line; as a
// plugin we answer each with an object and 0 or 1. On a find: seed, error and text, and the exit code 1.
import { cniMain } from '../src/cli/cni/plugin.ts';
import { DelosError } from '../src/lib/errors.ts';
import { parseConflist } from '../src/network/cni/conflist.ts';
import { isObject } from '../src/network/cni/json.ts';
import { readResult } from '../src/network/cni/result.ts';
import { pick, randomFrom, type Random } from '../test/fixtures/seccomp-profile.ts';
import { campaign } from './support/campaign.ts';

const leaves: readonly unknown[] = [
  null, true, 0, -1, 1e308, '', '1.0.0', '0.2.0', '0.3.0', 'lab', '../x', 'a\nb', '10.0.0.9/24', '10.0.0.9/99', 'fd00::9/64', '::1', '/run/netns/x', 'constructor', '\u2028', '😀', [], {},
];
const names: readonly string[] = [
  'cniVersion', 'cniVersions', 'name', 'plugins', 'type', 'disableCheck', 'capabilities', 'ips', 'address', 'gateway', 'interfaces', 'mac', 'sandbox', 'dns', 'nameservers', 'search', 'options',
  'domain', 'network', 'root', 'runtimeConfig', 'portMappings', 'prevResult', '__proto__', 'toString',
];
const whole = { cniVersion: '1.0.0', name: 'lab', plugins: [{ type: 'bridge' }], ips: [{ address: '10.0.0.9/24', gateway: '10.0.0.1' }], interfaces: [{ mac: 'x', sandbox: '/x' }], dns: { nameservers: ['1.1.1.1'] } };

function value(random: Random, depth: number): unknown {
  const kind = random(depth > 3 ? 1 : 4);
  if (kind < 2) return pick(random, leaves);
  if (kind === 2) return Array.from({ length: random(4) }, () => value(random, depth + 1));
  return object(random, depth);
}

function object(random: Random, depth: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: random(6) }, () => [pick(random, names), value(random, depth + 1)]));
}

function text(random: Random): string {
  const made = JSON.stringify({ ...(random(3) > 0 && whole), ...object(random, 0) });
  if (random(4) > 0) return made;
  const at = random(made.length);
  return made.slice(0, at) + pick(random, ['', '"', '{', ']', '\0', '\\']) + made.slice(at + random(5));
}

function readConfiguration(source: string): void {
  try {
    parseConflist(source, 'F');
  } catch (error) {
    if (!(error instanceof DelosError) || /[\n\0]/.test(error.message)) throw error;
  }
}

function readAsResult(source: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch {
    return;
  }
  if (!isObject(parsed)) return;
  const { servers, search, options, gateways } = readResult(parsed);
  const bad = [...servers, ...search, ...options, ...gateways].find((word) => /\s/.test(word) || word === '');
  if (bad !== undefined) throw new Error(`not for a line of resolv.conf: ${JSON.stringify(bad)}`);
}

let current = '';
await campaign('cni', (runs) => `${runs} texts, each read or refused`, async (seed) => {
  const random = randomFrom(seed);
  const source = (current = text(random));
  readConfiguration(source);
  readAsResult(source);
  // STATUS and VERSION do nothing but read.
  const { code, output } = await cniMain({ CNI_COMMAND: pick(random, ['STATUS', 'VERSION', 'EAT']) }, () => Buffer.from(source));
  if (code === 1 && (typeof output?.['code'] !== 'number' || /[\n\0]/.test(String(output['msg'])))) throw new Error(`not as the specification has it: ${JSON.stringify(output)}`);
}, () => JSON.stringify(current));
