import { parseAddress, parseSubnet } from '../../netlink/ip.ts';
import { isObject, objectsIn, stringIn, stringsIn, type JsonObject } from './json.ts';

/** What is known of a container's connection from the result of ADD. CNI specification, section 5. What is not said is absent. */
export interface CniResult {
  readonly four?: string;
  readonly six?: string;
  readonly gateways: readonly string[];
  readonly mac?: string;
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export function readResult(result: JsonObject): CniResult {
  const ips = objectsIn(result, 'ips');
  const addresses = ips.map((ip) => stringIn(ip, 'address') ?? '').filter((address) => parseSubnet(address, true) !== undefined).map((address) => address.replace(/\/.*$/, ''));
  const [four, six] = [addresses.find((address) => !address.includes(':')), addresses.find((address) => address.includes(':'))];
  const mac = objectsIn(result, 'interfaces').find((device) => stringIn(device, 'sandbox') !== undefined && stringIn(device, 'sandbox') !== '')?.['mac'];
  const dns = isObject(result['dns']) ? result['dns'] : {};
  const domain = stringIn(dns, 'domain');
  const search = stringsIn(dns, 'search').filter(isWord);
  return {
    ...(four !== undefined && { four }), ...(six !== undefined && { six }), ...(typeof mac === 'string' && { mac }),
    gateways: ips.map((ip) => stringIn(ip, 'gateway') ?? '').filter(isAddress),
    servers: stringsIn(dns, 'nameservers').filter(isAddress), search: search.length > 0 || domain === undefined || !isWord(domain) ? search : [domain],
    options: stringsIn(dns, 'options').filter(isWord),
  };
}

function isAddress(text: string): boolean {
  return parseAddress(text) !== undefined;
}

/** Fit for a line of resolv.conf(5). */
function isWord(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
