import { DelosError } from '../../lib/errors.ts';
import type { Capabilities, Process, User } from '../../oci/config/types.ts';
import type { Values } from '../../vocabulary/flags.ts';
import { mergeEnvironment } from '../../vocabulary/key-value.ts';
import { parseInteger } from '../../vocabulary/units.ts';
import type { execFlags } from './lifecycle-flags.ts';

type ExecFlags = Values<typeof execFlags>;

/** 2^32 - 1 means "no id" to the kernel. */
const LARGEST_ID = 0xffff_fffe;

/**
 * The process of `exec` without `--process`: the container's own with other words to run and what the flags change of it.
 * @throws DelosError bad-usage
 */
export function execProcess(own: Process, flags: ExecFlags, args: readonly string[]): Process {
  if (args.length === 0) throw new DelosError('bad-usage', 'process args cannot be empty');
  return {
    ...own,
    args,
    user: execUser(own.user ?? {}, flags),
    env: mergeEnvironment(own.env ?? [], flags.env),
    // A container with a terminal does not mean that this process wants one.
    terminal: flags.tty,
    ...(flags.cwd ? { cwd: flags.cwd } : {}),
    ...(flags.cap.length > 0 ? { capabilities: withCapabilities(own.capabilities ?? {}, flags.cap) } : {}),
    ...(flags['no-new-privs'] ? { noNewPrivileges: true } : {}),
    ...(flags.apparmor ? { apparmorProfile: flags.apparmor } : {}),
    ...(flags['process-label'] ? { selinuxLabel: flags['process-label'] } : {}),
  };
}

function execUser(own: User, { user, 'additional-gids': gids }: ExecFlags): User {
  const [uid, gid, ...more] = user ? user.split(':') : [];
  if (more.length > 0) throw new DelosError('bad-usage', `--user: expected uid[:gid], found ${JSON.stringify(user)}`);
  return {
    ...own,
    ...(uid === undefined ? {} : { uid: parseId('user', uid) }),
    ...(gid === undefined ? {} : { gid: parseId('user', gid) }),
    ...(gids.length === 0 ? {} : { additionalGids: [...(own.additionalGids ?? []), ...gids.map((text) => parseId('additional-gids', text))] }),
  };
}

/** Names are looked up by engines, which know the container's passwd(5). */
function parseId(flag: string, text: string): number {
  const id = /^\d+$/.test(text) ? parseInteger(text) : Number.NaN;
  if (!(id <= LARGEST_ID)) throw new DelosError('bad-usage', `--${flag}: expected an id from 0 to ${LARGEST_ID}, found ${JSON.stringify(text)}`);
  return id;
}

/** Not the inheritable set: files of the image would take them up (CVE-2022-29162). */
function withCapabilities(own: Capabilities, added: readonly string[]): Capabilities {
  const { bounding = [], effective = [], permitted = [], ambient = [] } = own;
  const joined = (names: readonly string[]): readonly string[] => [...new Set([...names, ...added])];
  return { ...own, bounding: joined(bounding), effective: joined(effective), permitted: joined(permitted), ambient: joined(ambient) };
}
