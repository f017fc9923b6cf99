import { refused } from '../refuse.ts';
import { lacksNamespace, namespaceOf, type Check } from './check.ts';

/** time_namespaces(7): offsets can be set only before the first process is in, so never in a joined one. */
export const checkTimeOffsets: Check = (config) => {
  if (Object.keys(config.linux?.timeOffsets ?? {}).length === 0) return;
  const time = namespaceOf(config, 'time');
  if (time === undefined) throw lacksNamespace(['linux', 'timeOffsets'], 'time');
  if (time.path !== undefined) throw refused(['linux', 'timeOffsets'], `cannot be set in the joined namespace ${time.path}`);
};
