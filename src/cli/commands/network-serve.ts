import { networksFolder } from '../../containers/places.ts';
import { serveNames } from '../../network/names/serve.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';

/** `delos network serve`: the name server of a network, until its last container has gone. Says on stdout when it answers. */
export async function run({ globals, positional: [network = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const server = await serveNames(networksFolder(placesOf(globals)), network);
  if (server === undefined) return 0;
  process.stdout.write('ready\n');
  await server.ended;
  return 0;
}
