import { badFlags } from '../../everyday/refusal.ts';
import { DelosError } from '../../lib/errors.ts';
import { checkCredentials } from '../../registry/client.ts';
import { defaultDomain } from '../../registry/reference.ts';
import { storeCredentials } from '../../registry/stored-credentials.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { warn, type globalFlags } from './context.ts';
import type { loginFlags } from './image-flags.ts';
import { ask, askHidden, readAll } from './question.ts';
import { registryOf } from './registry-name.ts';

/** `delos login`. */
export async function run({ flags, positional: [server = defaultDomain] }: Invocation<typeof loginFlags, typeof globalFlags>): Promise<number> {
  const domain = registryOf(server);
  const username = flags.username ?? (flags['password-stdin'] ? undefined : await ask('Username: '));
  if (username === undefined || username === '') throw new DelosError('bad-usage', 'a user name is needed: use --username');
  const credentials = { username, password: await passwordOf(flags) };
  if (credentials.password === '') throw new DelosError('bad-usage', 'the password is empty');
  await checkCredentials(domain, credentials);
  const { helper, file } = await storeCredentials(domain, credentials, process.env);
  if (helper === undefined) warn(`the password is stored unencrypted in ${file}; a credential helper would keep it safer`);
  process.stdout.write('Login Succeeded\n');
  return 0;
}

async function passwordOf({ password, 'password-stdin': fromStdin }: Values<typeof loginFlags>): Promise<string> {
  if (password !== undefined && fromStdin) throw badFlags('--password and --password-stdin');
  if (password !== undefined) return password;
  return fromStdin ? (await readAll()).replace(/\r?\n$/, '') : askHidden('Password: ');
}
