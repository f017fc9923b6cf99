import { defaultDomain } from '../../registry/reference.ts';
import { eraseCredentials } from '../../registry/stored-credentials.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';
import { registryOf } from './registry-name.ts';

/** `delos logout`. */
export async function run({ positional: [server = defaultDomain] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const domain = registryOf(server);
  const wasThere = await eraseCredentials(domain, process.env);
  process.stdout.write(wasThere ? `Removing login credentials for ${domain}\n` : `Not logged in to ${domain}\n`);
  return 0;
}
