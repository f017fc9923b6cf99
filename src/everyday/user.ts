import { DelosError } from '../lib/errors.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Groups the user is listed in besides; in the order of the group file. */
  readonly additionalGids: readonly number[];
  /** Home directory; `/` for a user the passwd file does not know. */
  readonly home: string;
}

/** Docker refuses what does not fit a signed 32-bit id. */
const MAX_ID = 2 ** 31 - 1;

interface PasswdEntry { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string }
interface GroupEntry { readonly name: string; readonly gid: number; readonly members: readonly string[] }

/**
 * Finds `user[:group]` in the texts of /etc/passwd and /etc/group, by docker's rules: a number is an id and need not be in the files,
 * a name must be; the empty string is root; without a group it is the user's own, or 0, and the user keeps its additional groups.
 * Throws `bad-usage`.
 */
export function resolveUser(spec: string, passwdText: string, groupText: string): ResolvedUser {
  const [userPart = '', groupPart = '', ...more] = spec.split(':');
  if (more.length > 0) throw new DelosError('bad-usage', `invalid user '${spec}': expected <name|uid>[:<group|gid>]`);
  const asked = userPart === '' ? 0 : numericId(userPart);
  const entry = passwdEntries(passwdText).find((row) => (asked === undefined ? row.name === userPart : row.uid === asked));
  if (entry === undefined && asked === undefined) throw new DelosError('bad-usage', `unable to find user ${userPart}: no matching entries in passwd file`);
  const uid = entry?.uid ?? asked ?? 0;
  const home = entry === undefined || entry.home === '' ? '/' : entry.home;
  if (groupPart !== '') return { uid, gid: resolveGroup(groupPart, groupText), additionalGids: [], home };
  const additionalGids = entry === undefined ? [] : groupEntries(groupText).filter((row) => row.members.includes(entry.name)).map((row) => row.gid);
  return { uid, gid: entry?.gid ?? 0, additionalGids, home };
}

/** The id of a group by name or number. Throws `bad-usage`. */
export function resolveGroup(spec: string, groupText: string): number {
  const gid = numericId(spec) ?? groupEntries(groupText).find((row) => row.name === spec)?.gid;
  if (gid === undefined) throw new DelosError('bad-usage', `unable to find group ${spec}: no matching entries in group file`);
  return gid;
}

function numericId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > MAX_ID) throw new DelosError('bad-usage', `invalid id ${text}: uids and gids must be in range 0-${MAX_ID}`);
  return id;
}

/** The lines of an image's file are foreign: those that do not parse are skipped, as getpwent(3) does. */
function fileId(text: string | undefined): number | undefined {
  const id = /^\d{1,10}$/.test(text ?? '') ? Number(text) : undefined;
  return id !== undefined && id <= MAX_ID ? id : undefined;
}

function passwdEntries(text: string): PasswdEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , uidText, gidText, , home = ''] = line.trim().split(':');
    const [uid, gid] = [fileId(uidText), fileId(gidText)];
    return name === '' || name.startsWith('#') || uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

function groupEntries(text: string): GroupEntry[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', , gidText, members = ''] = line.trim().split(':');
    const gid = fileId(gidText);
    return name === '' || name.startsWith('#') || gid === undefined ? [] : [{ name, gid, members: members.split(',') }];
  });
}
