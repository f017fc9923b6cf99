import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { DelosError } from '../lib/errors.ts';
import { shownUrl } from './shown.ts';

/** The environment's settings, in the spelling of Go's programs: upper case counts before lower case. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for a URL by HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or nothing. This host itself is never asked through a proxy.
 * @throws DelosError bad-usage for a proxy that is no URL
 */
export function proxyFor(url: URL, environment: Environment): URL | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = environment[name] || environment[name.toLowerCase()];
  if (!text || isLoopback(url.hostname) || isExcepted(url, environment['NO_PROXY'] || environment['no_proxy'] || '')) return undefined;
  const written = text.includes('://') ? text : `http://${text}`;
  const proxy = URL.canParse(written) ? new URL(written) : undefined;
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy;
  throw new DelosError('bad-usage', `${name} is no http or https URL${proxy === undefined ? '' : `: ${shownUrl(proxy)}`}`);
}

/** localhost, 127.0.0.0/8 and ::1. @param hostname as a URL has it, without a port */
export function isLoopback(hostname: string): boolean {
  const name = bare(hostname);
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || (net.isIPv4(name) && name.startsWith('127.'));
}

function isExcepted(url: URL, list: string): boolean {
  const host = bare(url.hostname).toLowerCase();
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return list.split(/[\s,]+/).filter((item) => item !== '').some((item) => {
    if (item === '*') return true;
    const [, name = '', itsPort] = /^(\[[^\]]*\]|[^:]*|[0-9a-fA-F:]+\/?\d*?)(?::(\d+))?$/.exec(item.toLowerCase()) ?? [];
    if (itsPort !== undefined && itsPort !== port) return false;
    if (name.includes('/') || net.isIP(bare(name)) !== 0) return isInside(host, bare(name));
    const domain = name.replace(/^\*?\./, '');
    return host.endsWith(`.${domain}`) || (host === domain && domain === name);
  });
}

function isInside(host: string, network: string): boolean {
  const [address = '', bits] = network.split('/');
  const [family, itsFamily] = [net.isIP(host), net.isIP(address)];
  if (family === 0 || family !== itsFamily) return false;
  const length = bits === undefined ? (family === 4 ? 32 : 128) : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > (family === 4 ? 32 : 128)) return false;
  const list = new net.BlockList();
  list.addSubnet(address, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The header that presents the proxy's user and password, if its URL has them. */
export function proxyHeaders(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}

type Connected = (error: Error | null, stream: net.Socket) => void;

/**
 * An agent whose connections go through a proxy's CONNECT and are TLS with the target from there on. It is no class that extends
 * https.Agent, as that would load all of node:https when a program starts.
 */
export function tunnelAgent(proxy: URL, options: https.AgentOptions): https.Agent {
  const createConnection = (wanted: http.ClientRequestArgs & tls.ConnectionOptions, callback?: Connected): undefined => connectThrough(proxy, wanted, callback);
  return Object.assign(new https.Agent(options), { createConnection });
}

function connectThrough(proxy: URL, options: http.ClientRequestArgs & tls.ConnectionOptions, callback?: Connected): undefined {
  const target = `${options.host ?? ''}:${options.port ?? 443}`;
  const fail = (error: Error): void => callback?.(error, undefined as unknown as net.Socket);
  const request = (proxy.protocol === 'https:' ? https : http).request({
    host: proxy.hostname, port: proxy.port || undefined, method: 'CONNECT', path: target, agent: false,
    headers: { Host: target, ...proxyHeaders(proxy) }, timeout: 30_000,
  });
  request.once('timeout', () => request.destroy(new Error('no answer')));
  request.once('error', (error) => fail(new Error(`the proxy ${shownUrl(proxy)} cannot be used: ${error.message}`)));
  request.once('connect', ({ statusCode }, socket) => {
    if (statusCode !== 200) {
      socket.destroy();
      fail(new Error(`the proxy ${shownUrl(proxy)} refused the connection with status ${statusCode ?? 0}`));
      return;
    }
    socket.setTimeout(0);
    const { host: _, path: __, ...rest } = options as tls.ConnectionOptions & { path?: string };
    const name = options.servername ?? (net.isIP(options.host ?? '') === 0 ? options.host : undefined);
    callback?.(null, tls.connect({ ...rest, socket, ...(name && { servername: name }) }));
  });
  request.end();
}
