import { DelosError } from '../lib/errors.ts';
import { randomBytes, randomInt } from '../sys/random.ts';

const SHORT_LENGTH = 12;

/** A new container id: 64 hexadecimal digits whose first twelve are not all decimal, so that a short id is never read as a number. */
export function randomId(bytes: (count: number) => Uint8Array = randomBytes): string {
  for (;;) {
    const id = Buffer.from(bytes(32)).toString('hex');
    if (/[a-f]/.test(shortId(id))) return id;
  }
}

/** The first twelve digits of an id: what listings show. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_LENGTH);
}

const manners = [
  'amber', 'ancient', 'brave', 'bright', 'brisk', 'calm', 'candid', 'careful', 'cheerful', 'clever', 'copper', 'cosmic', 'crisp', 'curious',
  'daring', 'deft', 'distant', 'eager', 'early', 'earnest', 'electric', 'fair', 'faithful', 'fearless', 'fleet', 'frank', 'fresh', 'gentle',
  'gilded', 'glad', 'golden', 'graceful', 'hardy', 'hidden', 'honest', 'humble', 'idle', 'jolly', 'keen', 'kind', 'late', 'lively', 'lone',
  'loyal', 'lucid', 'lunar', 'mellow', 'merry', 'mild', 'modest', 'neat', 'nimble', 'noble', 'patient', 'placid', 'plain', 'polite', 'proud',
  'quick', 'quiet', 'rapid', 'ready', 'restful', 'robust', 'rustic', 'serene', 'sharp', 'shy', 'silent', 'silver', 'sincere', 'sleepy', 'solar',
  'solid', 'sound', 'sparse', 'spry', 'steady', 'still', 'sturdy', 'subtle', 'sunny', 'swift', 'tender', 'tidy', 'tranquil', 'true', 'upbeat',
  'vivid', 'warm', 'wary', 'wild', 'wise', 'witty', 'young', 'zesty',
];

const islands = [
  'aegina', 'amorgos', 'anafi', 'andros', 'antiparos', 'astypalea', 'chios', 'corfu', 'crete', 'cythera', 'donousa', 'elafonisos', 'euboea',
  'folegandros', 'gavdos', 'hydra', 'icaria', 'ios', 'ithaca', 'kalymnos', 'karpathos', 'kasos', 'kea', 'kefalonia', 'kimolos', 'kos',
  'koufonisi', 'kythnos', 'lefkada', 'lemnos', 'leros', 'lesbos', 'lipsi', 'meganisi', 'milos', 'mykonos', 'naxos', 'nisyros', 'paros',
  'patmos', 'paxos', 'poros', 'psara', 'rhodes', 'salamis', 'samos', 'samothrace', 'serifos', 'sifnos', 'sikinos', 'skiathos', 'skopelos',
  'skyros', 'spetses', 'symi', 'syros', 'telendos', 'thasos', 'thirasia', 'tilos', 'tinos', 'zakynthos',
];

/** A name for a container nobody named: a manner and a neighbour island of Delos, such as `quiet_naxos`. `pick(n)` gives 0 to n - 1. */
export function randomName(taken: (name: string) => boolean = () => false, pick: (below: number) => number = randomInt): string {
  const name = (): string => `${manners[pick(manners.length)]}_${islands[pick(islands.length)]}`;
  for (let attempt = 0; attempt < 10; attempt++) {
    const candidate = name();
    if (!taken(candidate)) return candidate;
  }
  // Thousands of names in use: a number makes room.
  for (let number = 1; ; number++) {
    const candidate = `${name()}${number}`;
    if (!taken(candidate)) return candidate;
  }
}

/** Checks a name given by the user. Throws `bad-id`. */
export function checkName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) {
    throw new DelosError('bad-id', `invalid container name '${name}': expected two or more of [a-zA-Z0-9_.-], the first a letter or digit`);
  }
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * The container a word means: a whole id, else a name, else the only id that begins with it.
 * Throws `not-found` when there is none, `bad-id` when several begin so.
 */
export function resolveContainer<C extends Named>(word: string, containers: readonly C[]): C {
  const exact = containers.find(({ id }) => id === word) ?? containers.find(({ name }) => name === word);
  if (exact !== undefined) return exact;
  const matches = word === '' ? [] : containers.filter(({ id }) => id.startsWith(word));
  const [only, ...others] = matches;
  if (only === undefined) throw new DelosError('not-found', `no such container: ${word}`);
  if (others.length > 0) throw new DelosError('bad-id', `'${word}' begins the ids of ${matches.length} containers: ${matches.map(({ id }) => shortId(id)).join(', ')}`);
  return only;
}
