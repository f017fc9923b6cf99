import { inspectImage } from '../../images/catalogue.ts';
import type { ImageStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import { badFlag } from '../../everyday/refusal.ts';
import { familiarReference, formatReference } from '../../registry/reference.ts';
import { shown } from '../../registry/shown.ts';
import { parseBoolean } from '../../vocabulary/units.ts';
import { repositoryText, type ImageRow } from './image-rows.ts';

export type AcceptImage = (row: ImageRow) => boolean;

const filters: Readonly<Record<string, (store: ImageStore, value: string) => AcceptImage>> = {
  dangling: (_store, value) => {
    const wanted = parseBoolean(value);
    return ({ image }) => (image.record.tags.length === 0) === wanted;
  },
  reference: (_store, value) => referenceFilter(value),
  label: (_store, value) => ({ image }) => hasLabel(image.config.defaults.labels, value),
  before: (store, value) => {
    const moment = createdOf(store, value);
    return ({ image }) => Date.parse(image.config.created ?? '') < moment;
  },
  since: (store, value) => {
    const moment = createdOf(store, value);
    return ({ image }) => Date.parse(image.config.created ?? '') > moment;
  },
};

/** The `--filter` of `images`. @throws DelosError bad-usage, no-image */
export function imageFilter(store: ImageStore, text: string): AcceptImage {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals));
  const filter = Object.hasOwn(filters, name) ? filters[name] : undefined;
  if (filter === undefined) throw badFlag('filter', text, `expected one of ${Object.keys(filters).map((known) => `${known}=`).join(', ')}`);
  return filter(store, text.slice(equals + 1));
}

/** Whether there is a label `key`, or `key=value` with this value. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const [key = '', ...rest] = wanted.split('=');
  return Object.hasOwn(labels, key) && (rest.length === 0 || labels[key] === rest.join('='));
}

function createdOf(store: ImageStore, name: string): number {
  return Date.parse(inspectImage(store, name).config.created ?? '');
}

/** Names by a pattern of path.Match, Go's: with `*`, `?` and `[a-z]`, none of which matches a slash. A name without a tag means every tag. */
export function referenceFilter(pattern: string): AcceptImage {
  const form = globForm(pattern);
  return (row) => {
    if (row.name === undefined) return false;
    const { domain, path, tag } = row.name;
    const whole = { domain, path, ...(tag !== undefined && { tag }) };
    const names = [repositoryText(row), `${domain}/${path}`, ...(tag === undefined ? [] : [familiarReference(whole), formatReference(whole)])];
    return names.some((name) => form.test(name));
  };
}

function globForm(pattern: string): RegExp {
  const source = pattern.replace(/\[\^?[^\]/]+\]|\\?[^]/g, (part) => {
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part === '[') throw noPattern(pattern);
    return part.length > 2 ? part : part.slice(-1).replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw noPattern(pattern, cause);
  }
}

function noPattern(pattern: string, cause?: unknown): DelosError {
  return new DelosError('bad-usage', `'${shown(pattern)}' is no pattern for the names of images`, cause === undefined ? {} : { cause });
}
