import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { defaultConfig } from '../../oci/default-config.ts';
import type { OciInvocation } from './invocation.ts';
import type { specFlags } from './reporting-flags.ts';

/** Writes a config.json to begin from. One that is there already is somebody's work and stays. */
export function run({ flags, caller }: OciInvocation<typeof specFlags>): Promise<number> {
  const file = path.resolve(caller.cwd, flags.bundle, 'config.json');
  const config = defaultConfig({ rootless: flags.rootless, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });
  try {
    fs.writeFileSync(file, `${JSON.stringify(config, null, '\t')}\n`, { flag: 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new DelosError('exists', `File ${file} exists. Remove it first`, { cause });
    throw new DelosError('io', `${file}: cannot be written: ${code}`, { cause });
  }
  return Promise.resolve(0);
}
