import fs from 'node:fs';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { changeContainer } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import type { RestartPolicy } from '../../containers/restart.ts';
import { containerEvent } from '../../containers/events.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config, Resources } from '../../oci/config/types.ts';
import { jsonText } from '../../runtime/json-text.ts';
import { readConfig } from '../../runtime/prepare.ts';
import { mergeResources, updateContainer } from '../../runtime/update.ts';
import { createFlags, type CreateFlags } from '../../everyday/flags.ts';
import { ignoredLimits, resourceLimits } from '../../everyday/resources.ts';
import { restartPolicy } from '../../everyday/restart.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { forEach, placesOf, warn, type globalFlags } from './context.ts';
import type { updateFlags } from './flags.ts';
import { gatherHostFacts } from './host-facts.ts';

/** `delos update`: limits of a container that runs, and of its next start. */
export async function run({ flags, globals, positional }: Invocation<typeof updateFlags, typeof globalFlags>): Promise<number> {
  if (Object.keys(flags).length === 0) throw new DelosError('bad-usage', "you must give one or more limits. See 'delos update --help'.");
  const places = placesOf(globals);
  const restart = flags.restart === undefined ? undefined : { policy: restartPolicy(flags.restart) };
  const host = gatherHostFacts(places, { files: [], devices: [], containers: [] }, {});
  const wanted = { ...unset(), ...flags };
  const changes = resourceLimits(wanted, host);
  const ignored = ignoredLimits(wanted, host);
  if (ignored.length > 0) warn(`limits that cannot be set are left out: ${ignored.join(', ')}`);
  return forEach(places, positional, (container) => update(places, container, { changes, restart }, flags));
}

interface Changes {
  readonly changes: Resources;
  /** A policy without a name is none. */
  readonly restart: { readonly policy: RestartPolicy | undefined } | undefined;
}

async function update(places: Places, container: Container, { changes, restart }: Changes, flags: object): Promise<void> {
  if (restart?.policy !== undefined && container.autoRemove) {
    throw new DelosError('bad-usage', `container ${container.name} is removed when it ends (--rm): it cannot have a restart policy`);
  }
  const { status } = standingOf(places, container);
  if (status === 'running' || status === 'paused') await updateContainer(places.run, container.id, changes);
  const updated = await changeContainer(places, container.id, (before) => {
    const config = readConfig(fileOf(places, container.id));
    const resources = mergeResources(config.linux?.resources ?? {}, changes);
    const after: Config = { ...config, linux: { ...config.linux, resources } };
    if (fs.existsSync(fileOf(places, container.id))) writeAtomically(fileOf(places, container.id, 'config.json'), jsonText(after, 2));
    return { ...withPolicy(before, restart), flags: { ...before.flags, ...flags } };
  });
  containerEvent(places, updated, 'update');
}

/** One that waits to be started again asks for it once more when its time has come. */
function withPolicy(container: Container, restart: Changes['restart']): Container {
  if (restart === undefined) return container;
  const { restart: _, ...others } = container;
  return restart.policy === undefined ? others : { ...others, restart: restart.policy };
}

/** The flags of `create` as if none was given. */
function unset(): CreateFlags {
  const values = createFlags.map((flag) => [flag.name, 'default' in flag ? flag.default : flag.type === 'bool' ? false : flag.type === 'list' ? [] : undefined]);
  return Object.fromEntries(values) as CreateFlags;
}
