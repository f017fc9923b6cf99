import { DelosError } from '../../lib/errors.ts';
import { parseReference, type Reference } from '../../registry/reference.ts';
import { shown } from '../../registry/shown.ts';

/** The name that an image made here is to get, if any. @throws DelosError bad-reference */
export function newName(text: string | undefined): Reference[] {
  if (text === undefined) return [];
  const reference = parseReference(text);
  if (reference.digest !== undefined) throw new DelosError('bad-reference', `invalid image name '${shown(text)}': a new name cannot have a digest`);
  return [reference];
}

/** When an image made here says it was made: now, or as SOURCE_DATE_EPOCH says, so that it comes out the same another time. */
export function creationTime(): Date {
  const text = process.env['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return new Date();
  if (!/^\d{1,12}$/.test(text)) throw new DelosError('bad-usage', `SOURCE_DATE_EPOCH: expected seconds since 1970, found '${shown(text)}'`);
  return new Date(Number(text) * 1000);
}
