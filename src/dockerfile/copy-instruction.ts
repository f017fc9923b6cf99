import { resolveUser } from '../everyday/user.ts';
import { jsonWords } from '../images/dockerfile-words.ts';
import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from '../registry/digest.ts';
import { shown } from '../registry/shown.ts';
import { nearest } from '../vocabulary/nearest.ts';
import { readText, type CopyWish } from './copy.ts';
import { expandDocument, expandWord, type Variables } from './expansion.ts';
import type { LayerView, Owner } from './layer-view.ts';
import { summaryOf, type Instruction } from './syntax.ts';

/** A COPY or ADD as it stands, its variables replaced. */
export interface CopyInstruction {
  /** A stage or an image; absent for the context. */
  readonly from?: string;
  /** `user[:group]`, by the image's own files: {@link ownerIn}. */
  readonly owner?: string;
  readonly wish: Omit<CopyWish, 'owner' | 'created' | 'downloads'>;
  /** URLs, of ADD. */
  readonly remote: readonly string[];
  /** What the only one of them has to hold. */
  readonly checksum?: Digest;
  /** For the image's history. */
  readonly told: string;
}

/** @throws DelosError bad-usage, and unsupported for repositories */
export function readCopy(instruction: Instruction, variables: Variables, workingDir: string): CopyInstruction {
  const { name, flags, text, heredocs, escape } = instruction;
  const { from, chown: owner, chmod, checksum } = copyFlags(instruction, (word) => expandWord(word, variables, escape));
  const words = jsonWords(text) ?? text.split(/\s+/);
  const plain = words.filter((word) => !heredocs.some((heredoc) => heredoc.word === word)).map((word) => expandWord(word, variables, escape));
  const target = plain.pop();
  if (target === undefined || target === '' || words.length < 2) throw new DelosError('bad-usage', 'expected what to copy, and where to');
  if (name === 'ADD') for (const word of plain) refuseRepository(word);
  const remote = name === 'ADD' ? plain.filter(isRemote) : [];
  const sources = plain.filter((word) => !remote.includes(word));
  const documents = heredocs.map((heredoc) => ({ name: heredoc.name, content: heredoc.expand ? expandDocument(heredoc.content, variables, escape) : heredoc.content }));
  return {
    ...(from !== undefined && { from }), ...(owner !== undefined && { owner }),
    remote, ...(checksum !== undefined && { checksum: digestFor(checksum, remote, sources) }),
    wish: { sources, documents, target, workingDir, unpacks: name === 'ADD', ...(chmod !== undefined && { mode: modeOf(chmod) }) },
    told: summaryOf({ name, flags, text: [...documents.map((document) => `<<${document.name}`), ...plain, target].join(' ') }),
  };
}

/** `--link` makes no difference here: a layer of COPY never depends on files below it. */
const known = { COPY: ['from', 'chown', 'chmod', 'link'], ADD: ['chown', 'chmod', 'link', 'checksum'] } as const;

function copyFlags({ name, flags }: Instruction, expand: (word: string) => string): Partial<Record<'from' | 'chown' | 'chmod' | 'checksum', string>> {
  const names: readonly string[] = known[name as keyof typeof known];
  const lost = flags.find((flag) => !names.includes(flag.name));
  if (lost !== undefined) {
    const meant = nearest(lost.name, names);
    throw new DelosError('bad-usage', `--${shown(lost.name)} is not supported for ${name}${meant === undefined ? `, only ${names.map((flag) => `--${flag}`).join(', ')}` : `: did you mean --${meant}?`}`);
  }
  return Object.fromEntries(flags.filter((flag) => flag.name !== 'link').map((flag) => {
    const value = expand(flag.value ?? '');
    if (value === '') throw new DelosError('bad-usage', `--${flag.name}: expected a value`);
    return [flag.name, value];
  }));
}

function modeOf(text: string): number {
  if (!/^[0-7]{3,4}$/.test(text)) throw new DelosError('bad-usage', `--chmod=${shown(text)}: expected octal digits such as 0755`);
  return Number.parseInt(text, 8);
}

function isRemote(word: string): boolean {
  return /^https?:\/\//i.test(word) && URL.canParse(word);
}

function refuseRepository(word: string): void {
  if (!/^(ftp|git|ssh):\/\/|^git@|^(https?:\/\/)?[^/\s]+\/.*\.git(#|$)/i.test(word)) return;
  throw new DelosError('unsupported', `${shown(word)} is a repository: ADD takes files of the context and of http and https; get it with RUN`);
}

function digestFor(checksum: string, remote: readonly string[], sources: readonly string[]): Digest {
  if (!isDigest(checksum)) throw new DelosError('bad-usage', `--checksum=${shown(checksum)}: expected sha256: and 64 hexadecimal digits`);
  if (remote.length !== 1 || sources.length > 0) throw new DelosError('bad-usage', '--checksum is of one URL');
  return checksum;
}

/** An owner by the image's own users and groups. As docker has it, the group of a number alone is the same number. @throws DelosError bad-usage */
export function ownerIn(text: string, below: LayerView): Owner {
  const { uid, gid } = resolveUser(/^\d+$/.test(text) ? `${text}:${text}` : text, readText(below, 'etc/passwd'), readText(below, 'etc/group'));
  return { uid, gid };
}
