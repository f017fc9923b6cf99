import { refused } from '../refuse.ts';
import type { Check } from './check.ts';

/** config-linux.md "Namespaces": one of each type. */
export const checkNamespaces: Check = ({ linux }) => {
  const seen = new Set<string>();
  for (const [i, { type }] of (linux?.namespaces ?? []).entries()) {
    if (seen.has(type)) throw refused(['linux', 'namespaces', i, 'type'], `a second ${type} namespace`);
    seen.add(type);
  }
};
