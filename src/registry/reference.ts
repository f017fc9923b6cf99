import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from './digest.ts';
import { shown } from './shown.ts';

/**
 * The name of an image, whole: docker's defaults are filled in. Printed by {@link formatReference} as
 * `domain/path[:tag][@digest]`. At least one of tag and digest is there; with both, the digest counts.
 */
export interface Reference {
  /** The registry: a host, with a port if it is not the usual one. */
  readonly domain: string;
  /** The repository in it, at most 255 bytes, lower case. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The registry that names without one belong to, and the part of it that one-word names belong to. */
export const defaultDomain = 'docker.io';
const defaultFolder = 'library/';
const defaultTag = 'latest';
const longestPath = 255;

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const domainForm = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[A-Fa-f0-9:]+\\])(?::[0-9]{1,5})?$`);
const word = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const pathForm = new RegExp(`^${word}(?:/${word})*$`);
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/**
 * Reads a name as docker does: `alpine` is `docker.io/library/alpine:latest`, and what stands before the first slash is a registry
 * if it has a dot, a colon or an upper-case letter, or is `localhost`.
 * @throws DelosError bad-reference, in one line
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw bad(text, `'${shown(digest)}' is no digest: expected sha256: and 64 hexadecimal digits in lower case`);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/') && colon >= 0;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagForm.test(tag)) {
    throw bad(text, `'${shown(tag)}' is no tag: expected 1 to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'`);
  }
  const { domain, path } = splitDomain(hasTag ? named.slice(0, colon) : named);
  checkName(text, domain, path);
  const last = tag ?? (digest === undefined ? defaultTag : undefined);
  return { domain, path, ...(last !== undefined && { tag: last }), ...(digest !== undefined && { digest }) };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(0, slash));
  const isDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const domain = !isDomain || first === `index.${defaultDomain}` ? defaultDomain : first;
  const path = isDomain ? name.slice(slash + 1) : name;
  return { domain, path: domain === defaultDomain && !path.includes('/') && path !== '' ? defaultFolder + path : path };
}

function checkName(text: string, domain: string, path: string): void {
  if (path === '') throw bad(text, 'it names no repository');
  if (!domainForm.test(domain)) throw bad(text, `'${shown(domain)}' is no host name with an optional port`);
  const port = /\]?:([0-9]+)$/.exec(domain)?.[1];
  if (port !== undefined && !domain.endsWith(']') && Number(port) > 65535) throw bad(text, `${port} is no port`);
  if (/[A-Z]/.test(path)) throw bad(text, 'the repository must be in lower case');
  if (/^library\/[0-9a-f]{64}$/.test(path) && domain === defaultDomain) throw bad(text, 'a name cannot be 64 hexadecimal digits');
  if (!pathForm.test(path)) throw bad(text, "expected lower-case words of letters and digits, joined by '.', '_', '__' or '-', separated by '/'");
  if (path.length > longestPath) throw bad(text, `the repository has ${path.length} bytes, at most ${longestPath} are allowed`);
}

function bad(text: string, reason: string): DelosError {
  return new DelosError('bad-reference', `invalid image name '${shown(text)}': ${reason}`);
}

/** The whole name: `docker.io/library/alpine:latest`. {@link parseReference} reads it back as it was. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The name without its tag and digest: `docker.io/library/alpine`. */
export function repositoryOf({ domain, path }: Reference): string {
  return `${domain}/${path}`;
}

/** The short name that people use, `alpine:latest`. {@link parseReference} reads it as the same reference. */
export function familiarReference(reference: Reference): string {
  const { domain, path } = reference;
  const whole = formatReference(reference);
  if (domain !== defaultDomain) return whole;
  const inLibrary = path.startsWith(defaultFolder) && !path.slice(defaultFolder.length).includes('/');
  const short = whole.slice(domain.length + 1 + (inLibrary ? defaultFolder.length : 0));
  // A first word that reads as a registry has to stay behind the real one.
  return isSame(short, reference) ? short : whole;
}

function isSame(short: string, reference: Reference): boolean {
  try {
    return formatReference(parseReference(short)) === formatReference(reference);
  } catch {
    return false;
  }
}

/** What a registry is asked for: the digest if there is one, else the tag. */
export function targetOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? defaultTag;
}
