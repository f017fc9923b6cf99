import { badFlag } from '../../everyday/refusal.ts';
import { hasLabel } from './image-filters.ts';
import { moment } from './moment.ts';

/** An image or a container, as far as the `--filter` of the prune commands asks. */
export interface Prunable {
  /** When it was made, as text of a time. */
  readonly created: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** What all of these let through. @throws DelosError bad-usage */
export function pruneFilter(texts: readonly string[]): (thing: Prunable) => boolean {
  const accepts = texts.map(parse);
  return (thing) => accepts.every((accept) => accept(thing));
}

function parse(text: string): (thing: Prunable) => boolean {
  const [, name, value] = /^(until|label!?)=([^]+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw badFlag('filter', text, 'expected until=, label= or label!=');
  if (name !== 'until') return ({ labels }) => hasLabel(labels, value) === (name === 'label');
  const latest = moment('filter', value);
  return ({ created }) => Date.parse(created ?? '') <= latest;
}
