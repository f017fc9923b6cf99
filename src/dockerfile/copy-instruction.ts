import { resolveUser } from '../everyday/user.ts';
import { jsonWords } from '../images/dockerfile-words.ts';
import { DelosError } from '../lib/errors.ts';
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
  readonly wish: Omit<CopyWish, 'owner' | 'created'>;
  /** For the image's history. */
  readonly told: string;
}

/** @throws DelosError bad-usage, and unsupported for what is remote */
export function readCopy(instruction: Instruction, variables: Variables, workingDir: string): CopyInstruction {
  const { name, flags, text, heredocs, escape } = instruction;
  const { from, chown: owner, chmod } = copyFlags(instruction, (word) => expandWord(word, variables, escape));
  const words = jsonWords(text) ?? text.split(/\s+/);
  const plain = words.filter((word) => !heredocs.some((heredoc) => heredoc.word === word)).map((word) => expandWord(word, variables, escape));
  const target = plain.pop();
  if (target === undefined || target === '' || words.length < 2) throw new DelosError('bad-usage', 'expected what to copy, and where to');
  if (name === 'ADD') for (const word of plain) refuseRemote(word);
  const documents = heredocs.map((heredoc) => ({ name: heredoc.name, content: heredoc.expand ? expandDocument(heredoc.content, variables, escape) : heredoc.content }));
  return {
    ...(from !== undefined && { from }), ...(owner !== undefined && { owner }),
    wish: { sources: plain, documents, target, workingDir, unpacks: name === 'ADD', ...(chmod !== undefined && { mode: modeOf(chmod) }) },
    told: summaryOf({ name, flags, text: [...documents.map((document) => `<<${document.name}`), ...plain, target].join(' ') }),
  };
}

/** `--link` makes no difference here: a layer of COPY never depends on files below it. */
const known = { COPY: ['from', 'chown', 'chmod', 'link'], ADD: ['chown', 'chmod', 'link'] } as const;

function copyFlags({ name, flags }: Instruction, expand: (word: string) => string): Partial<Record<'from' | 'chown' | 'chmod', string>> {
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

function refuseRemote(word: string): void {
  if (!/^(https?|ftp|git|ssh):\/\/|^git@|^[^/\s]+\/.*\.git(#|$)/i.test(word)) return;
  throw new DelosError('unsupported', `${shown(word)} is remote: ADD takes only files of the context; get it with RUN`);
}

/** An owner by the image's own users and groups. As docker has it, the group of a number alone is the same number. @throws DelosError bad-usage */
export function ownerIn(text: string, below: LayerView): Owner {
  const { uid, gid } = resolveUser(/^\d+$/.test(text) ? `${text}:${text}` : text, readText(below, 'etc/passwd'), readText(below, 'etc/group'));
  return { uid, gid };
}
