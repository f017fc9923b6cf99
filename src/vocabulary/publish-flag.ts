import { DelosError } from '../lib/errors.ts';
import type { PublishedPort } from '../network/published-port.ts';

const LAST_PORT = 65535;

function invalid(text: string): DelosError {
  return new DelosError('bad-usage', `invalid --publish '${text}': expected [[ADDRESS:]HOST_PORT[-END]:]PORT[-END][/tcp|udp]`);
}

/**
 * `--publish [[ADDRESS:]HOST_PORT[-END]:]PORT[-END][/tcp|udp]`, an address of IPv6 in brackets: a flag for each port of a range.
 * Without a port of the host, any that is free is taken. Throws `bad-usage`.
 */
export function parsePublish(text: string): PublishedPort[] {
  const [, address, outside, inside = '', protocol = 'tcp'] = /^(?:(?:(\[[^\]]*\]|[^:[\]]*):)?([\d-]*):)?([\d-]+)(?:\/(tcp|udp))?$/i.exec(text) ?? [];
  const to = portRange(inside, text);
  const from = outside === undefined || outside === '' ? to.map(() => 0) : portRange(outside, text);
  if (from.length !== to.length) throw invalid(text);
  const hostAddress = address?.replace(/^\[|\]$/g, '');
  return to.map((containerPort, index) => ({
    protocol: protocol.toLowerCase() as 'tcp' | 'udp', ...(hostAddress !== undefined && hostAddress !== '' && { hostAddress }), hostPort: from[index] ?? 0, containerPort,
  }));
}

function portRange(words: string, text: string): number[] {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(words) ?? [];
  const [begin, end] = [Number(first || 0), Number(last || 0)];
  if (begin < 1 || end > LAST_PORT || end < begin) throw invalid(text);
  return Array.from({ length: end - begin + 1 }, (_, index) => begin + index);
}
