import path from 'node:path';
import type { Kind } from '../layers/stat-kind.ts';
import { childOf } from '../layers/walk.ts';
import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { byteString, textOf, type ByteString } from '../tar/byte-string.ts';
import { globForm, isPattern } from './glob.ts';
import type { Ignored } from './ignore.ts';
import type { LayerView } from './layer-view.ts';

/** Where COPY takes files from: the context, or the root of a stage or an image. */
export interface Source {
  /** For messages: `the context`, `stage build`. */
  readonly name: string;
  readonly view: LayerView;
  readonly ignored: Ignored;
  /** Files keep their owners; those of a context become root's. */
  readonly keepsOwners: boolean;
}

/** Something that a COPY has asked for. */
export interface SourceFile {
  /** Where it is, without any links. */
  readonly path: ByteString;
  readonly kind: Kind;
  /** What it was called. */
  readonly name: ByteString;
}

/**
 * What a word of COPY stands for: one thing, or all that fits a pattern. A link that is named leads on, but nowhere out of the source.
 * @throws DelosError not-found when nothing does, bad-usage for a word that leads out
 */
export function sourceFiles(source: Source, word: string): SourceFile[] {
  const clean = path.posix.normalize(word.replace(/^\/+/, '') || '.').replace(/\/+$/, '');
  if (clean === '..' || clean.startsWith('../')) throw new DelosError('bad-usage', `${shown(word)} leads out of ${source.name}`);
  if (clean === '.') return [{ path: '', kind: 'directory', name: '' }];
  const paths = isPattern(clean) ? matching(source.view, clean.split('/')) : [byteString(clean)];
  const found = paths.flatMap((name) => fileAt(source, name) ?? []);
  if (found.length > 0) return found;
  const left = paths.some((name) => source.view.resolve(name).kind !== undefined) ? ', as .dockerignore leaves it out' : '';
  throw new DelosError('not-found', isPattern(clean) ? `nothing in ${source.name} fits ${shown(word)}` : `${shown(word)} is not in ${source.name}${left}`);
}

function fileAt({ view, ignored }: Source, name: ByteString): SourceFile | undefined {
  const { path: place, kind } = view.resolve(name);
  const lost = kind === undefined || (ignored.has(textOf(name)) && !(kind === 'directory' && ignored.hasExceptions));
  return lost ? undefined : { path: place, kind, name: name.slice(name.lastIndexOf('/') + 1) };
}

/** As Go's filepath.Glob: level by level. */
function matching(view: LayerView, [first = '', ...rest]: readonly string[], folder: ByteString = ''): ByteString[] {
  const names = isPattern(first) ? namesFitting(view, folder, globForm(first)) : [byteString(first)];
  const paths = names.map((name) => childOf(folder, name));
  return rest.length === 0 ? paths : paths.flatMap((place) => matching(view, rest, place));
}

function namesFitting(view: LayerView, folder: ByteString, form: RegExp): ByteString[] {
  const { path: place, kind } = view.resolve(folder);
  return kind === 'directory' ? view.names(place).filter((name) => form.test(textOf(name))) : [];
}
