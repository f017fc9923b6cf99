import { DelosError } from '../lib/errors.ts';
import { defaultDomain, formatReference, type Reference } from './reference.ts';
import type { Location, RegistryRule } from './registries-conf.ts';

/** Where a repository is to be found. */
export interface Endpoint {
  /** The name that its credentials are stored under. */
  readonly domain: string;
  /** With a port, if it is not the usual one. */
  readonly host: string;
  readonly path: string;
  readonly insecure: boolean;
}

/** docker's own registry answers under another name than its images carry. */
const hubHost = 'registry-1.docker.io';

/**
 * Where to look for an image, in order: the mirrors, the registry itself.
 * @param purpose to push there is only the registry
 * @throws DelosError registry for a registry that is blocked
 */
export function endpointsOf(reference: Reference, rules: readonly RegistryRule[], purpose: 'pull' | 'push'): Endpoint[] {
  const rule = ruleFor(reference, rules);
  const name = `${reference.domain}/${reference.path}`;
  if (rule === undefined) return [endpointOf(name, false)];
  if (rule.blocked) throw new DelosError('registry', `${formatReference(reference)}: the registry is blocked by registries.conf (${rule.prefix})`);
  const byDigest = reference.digest !== undefined;
  const usable = ({ pullFrom = 'all' }: Location): boolean => pullFrom === 'all' || (pullFrom === 'digest-only') === byDigest;
  const places = [...(purpose === 'pull' ? rule.mirrors.filter(usable) : []), rule];
  return places.map((place) => endpointOf(rewritten(name, rule.prefix, place.location), place.insecure));
}

/** The rule with the longest prefix. */
function ruleFor({ domain, path, tag, digest }: Reference, rules: readonly RegistryRule[]): RegistryRule | undefined {
  const names = [`${domain}/${path}`, `${domain}/${path}:${tag ?? ''}`, `${domain}/${path}@${digest ?? ''}`];
  const matches = ({ prefix }: RegistryRule): boolean => prefix.startsWith('*.')
    ? domain.replace(/:\d+$/, '').endsWith(prefix.slice(1)) && !prefix.includes('/')
    : names.some((name) => name === prefix || (name.startsWith(prefix) && '/:@'.includes(name[prefix.length] as string)));
  return rules.filter(matches).toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function rewritten(name: string, prefix: string, location: string): string {
  if (!prefix.startsWith('*.')) return name.startsWith(prefix) ? location + name.slice(prefix.length) : name;
  return location.startsWith('*.') ? name : location + name.slice(name.indexOf('/'));
}

function endpointOf(name: string, insecure: boolean): Endpoint {
  const slash = name.indexOf('/');
  const domain = name.slice(0, slash);
  return { domain, host: domain === defaultDomain ? hubHost : domain, path: name.slice(slash + 1), insecure };
}
