import type { DelosError } from '../../../lib/errors.ts';
import { refused } from '../refuse.ts';
import type { Path } from '../shape.ts';
import type { Config, Namespace, NamespaceType } from '../types.ts';

/** One rule between properties. Throws a DelosError bad-config; `warn` takes a sentence about what is odd and yet goes on. */
export type Check = (config: Config, warn: (sentence: string) => void) => void;

/** What the configuration says of a namespace; undefined leaves the container in the runtime's. */
export function namespaceOf(config: Config, type: NamespaceType): Namespace | undefined {
  return config.linux?.namespaces?.find((namespace) => namespace.type === type);
}

/** Whether the container is in a namespace of its own, new or joined. */
export const hasNamespace = (config: Config, type: NamespaceType): boolean => namespaceOf(config, type) !== undefined;

/** For a property that works only in a namespace of its own, and without one would change the host. `subject` opens the reason. */
export const lacksNamespace = (place: Path, type: NamespaceType, subject = 'needs'): DelosError =>
  refused(place, `${subject} a namespace of type ${type} in linux.namespaces`);
