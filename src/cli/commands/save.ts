import path from 'node:path';
import { badFlag, badFlags } from '../../everyday/refusal.ts';
import { saveImages, saveLayout } from '../../images/save.ts';
import { openStore } from '../../images/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { saveFlags } from './image-flags.ts';
import { writeArchive } from './output-file.ts';

/** `delos save`. */
export async function run({ flags: { output, format }, globals, positional }: Invocation<typeof saveFlags, typeof globalFlags>): Promise<number> {
  const store = openStore(placesOf(globals).data);
  switch (format) {
    case 'docker-archive':
    case 'oci-archive':
      await writeArchive(output, saveImages(store, positional));
      return 0;
    case 'oci-dir':
      if (output === undefined) throw badFlags('--format oci-dir needs --output');
      await saveLayout(store, positional, path.resolve(output));
      return 0;
    default:
      throw badFlag('format', format, 'expected docker-archive, oci-archive or oci-dir');
  }
}
