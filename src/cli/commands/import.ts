import { imageEvent } from '../../containers/events.ts';
import { importImage } from '../../images/import.ts';
import { openStore } from '../../images/store.ts';
import { parsePlatform } from '../../registry/platform.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { importFlags } from './image-flags.ts';
import { readArchive } from './input-file.ts';
import { creationTime, newName } from './new-image.ts';

/** `delos import`. */
export async function run({ flags, globals, positional: [file = '', name] }: Invocation<typeof importFlags, typeof globalFlags>): Promise<number> {
  const { change, message, platform } = flags;
  const places = placesOf(globals);
  const { id } = await importImage(openStore(places.data), readArchive(file), {
    names: newName(name), changes: change, comment: message ?? `Imported from ${file}`, created: creationTime(),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
  });
  imageEvent(places, 'import', id);
  process.stdout.write(`${id}\n`);
  return 0;
}
