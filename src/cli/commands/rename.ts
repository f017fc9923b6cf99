import { changeContainer } from '../../containers/catalogue.ts';
import { containerEvent } from '../../containers/events.ts';
import { nameTaken, releaseName, takeName } from '../../containers/name-links.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { checkName } from '../../vocabulary/names.ts';
import { find, placesOf, type globalFlags } from './context.ts';

/** `delos rename`. */
export async function run({ globals, positional: [word = '', name = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  checkName(name);
  const { id, name: former } = find(places, word);
  if (name === former) return 0;
  if (!(await takeName(places, name, id))) throw nameTaken(places, name);
  const renamed = await changeContainer(places, id, (container) => ({ ...container, name }));
  releaseName(places, former, id);
  containerEvent(places, renamed, 'rename', { oldName: `/${former}` });
  return 0;
}
