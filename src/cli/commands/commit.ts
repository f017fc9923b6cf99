import type { Container } from '../../containers/container.ts';
import { containerEvent } from '../../containers/events.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { commitImage, runConfigOf } from '../../images/commit.ts';
import { changedConfig } from '../../images/config-change.ts';
import type { ImageRecord } from '../../images/records.ts';
import { openStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { pauseContainer, resumeContainer } from '../../runtime/pause.ts';
import { readConfig } from '../../runtime/prepare.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { containerConfig } from './container-config.ts';
import { find, placesOf, warn, type globalFlags } from './context.ts';
import type { commitFlags } from './image-flags.ts';
import { creationTime, newName } from './new-image.ts';
import { writtenLayer } from './written-layer.ts';

/** `delos commit`. */
export async function run({ flags, globals, positional: [word = '', name] }: Invocation<typeof commitFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const pauses = flags.pause && standingOf(places, container).status === 'running' && (await pausedIfPossible(places, container));
  try {
    const { id } = await commit(places, container, flags, name);
    containerEvent(places, container, 'commit', { imageID: id });
    process.stdout.write(`${id}\n`);
  } finally {
    if (pauses) await resumeContainer(places.run, container.id);
  }
  return 0;
}

/** Not everywhere is there a freezer: it is worth a warning, as files may change while they are read. */
async function pausedIfPossible(places: Places, { id, name }: Container): Promise<boolean> {
  try {
    await pauseContainer(places.run, id);
    return true;
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    warn(`container ${name} goes on meanwhile: ${error.message}`);
    return false;
  }
}

async function commit(
  places: Places, container: Container, { author, change, message }: Values<typeof commitFlags>, name: string | undefined,
): Promise<ImageRecord> {
  const { manifest } = container;
  if (manifest === undefined) {
    throw new DelosError('unsupported', `container ${container.name} was not made of an image that is kept here: use export and import`);
  }
  const store = openStore(places.data);
  const config = readConfig(fileOf(places, container.id));
  return commitImage(store, {
    base: manifest, layer: writtenLayer(places, container),
    config: changedConfig(containerConfig(container, config, runConfigOf(store, manifest)), change),
    step: { created_by: container.command.join(' '), ...(author !== undefined && { author }), ...(message !== undefined && { comment: message }) },
    created: creationTime(), names: newName(name),
  });
}
