import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { once } from 'node:events';
import { errnoOf } from '../../cgroup/control-file.ts';
import { DelosError } from '../../lib/errors.ts';

/**
 * Writes an archive to a file, or to stdout without one. A file gets its name when it is whole: what was there before stays until then.
 * @throws DelosError bad-usage for a terminal, io; what the source throws
 */
export async function writeArchive(output: string | undefined, source: AsyncIterable<Uint8Array>): Promise<void> {
  if (output === undefined) return toStdout(source);
  const special = fs.statSync(output, { throwIfNoEntry: false });
  if (special?.isDirectory() === true) throw new DelosError('io', `${output}: cannot be written: it is a folder`);
  // What is no ordinary file, as /dev/stdout or a fifo, is written to where it is.
  const target = special !== undefined && !special.isFile() ? output : `${output}.${randomBytes(4).toString('hex')}`;
  try {
    await fs.promises.writeFile(target, source, { flag: target === output ? 'w' : 'wx', mode: 0o600 });
    if (target !== output) fs.renameSync(target, output);
  } catch (cause) {
    if (target !== output) fs.rmSync(target, { force: true });
    if (cause instanceof DelosError || !(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new DelosError('io', `${output}: cannot be written: ${errnoOf(cause) ?? cause.message}`, { cause });
  }
}

async function toStdout(source: AsyncIterable<Uint8Array>): Promise<void> {
  if (process.stdout.isTTY) throw new DelosError('bad-usage', 'an archive is not for a terminal: use --output, or redirect stdout');
  for await (const chunk of source) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}
