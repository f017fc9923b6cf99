import type { Field, Support } from '../../src/oci/field.ts';
import { properties, refused, withoutSteps } from './specification.ts';
import { table } from './table.ts';

/** The field that serves a property: one that names it, one of its parents, or one of its members. */
function fieldOf(order: readonly Field[], property: string): Field | undefined {
  for (let pointer = property; pointer !== ''; pointer = pointer.slice(0, pointer.lastIndexOf('/'))) {
    const found = order.find(({ at }) => at.includes(pointer));
    if (found !== undefined) return found;
  }
  return order.find(({ at }) => at.some((pointer) => pointer.startsWith(`${property}/`)));
}

function words(support: Support): [verdict: string, note: string] {
  if (support === 'full') return ['full', ''];
  return 'partial' in support ? ['partial', support.partial] : ['refused', support.refused];
}

/** Property by property: whether it is done, and what there is to say about it. */
export function supportRows(order: readonly Field[]): [property: string, verdict: string, note: string][] {
  return properties.map((property) => {
    const note = withoutSteps[property];
    if (note !== undefined) return [property, 'full', note];
    if (refused.includes(property)) return [property, 'refused', 'by name, before anything is done'];
    const field = fieldOf(order, property);
    return field === undefined ? [property, 'not done', ''] : [property, ...words(field.support)];
  });
}

/** docs/reference/oci.md */
export function ociPage(order: readonly Field[]): string {
  const rows = supportRows(order);
  const counts = Map.groupBy(rows, ([, verdict]) => verdict);
  const summary = [...counts].map(([verdict, { length }]) => `${length} ${verdict}`).join(', ');
  return [
    '# config.json: what is supported',
    'Every property of the OCI runtime specification 1.3 that concerns Linux. A property that is refused stops the container with one line that names it.',
    `${rows.length} properties: ${summary}.`,
    table(['property', 'support', 'note'], rows.map(([property, verdict, note]) => [`\`${property}\``, verdict, note])),
  ].join('\n\n');
}
