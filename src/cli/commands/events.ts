import { readEvents, type ReadEvent } from '../../containers/events-reader.ts';
import type { EventRecord } from '../../containers/events.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { compileTemplate } from '../../vocabulary/template.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { eventsFlags } from './flags.ts';
import { localTime } from './local-time.ts';
import { moment } from './moment.ts';

const NS_A_MS = 1e6;

/** `delos events`: a line each, until it is interrupted or the time of `--until` has come. */
export async function run({ flags, globals }: Invocation<typeof eventsFlags, typeof globalFlags>): Promise<number> {
  const accept = eventFilter(flags.filter);
  const print = printer(flags.json ? 'json' : flags.format);
  const since = flags.since === undefined ? undefined : moment('since', flags.since);
  const until = flags.until === undefined ? Infinity : moment('until', flags.until);
  using end = endAt(until);
  for await (const event of readEvents(placesOf(globals), { past: since !== undefined || until <= Date.now(), signal: end.signal })) {
    const atMs = event.record.timeNano / NS_A_MS;
    if (atMs < (since ?? 0) || atMs > until || !accept(event.record)) continue;
    if (!process.stdout.write(`${print(event)}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
  return 0;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The end by the clock, or by the keyboard, which is no failure here. */
function endAt(untilMs: number): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const leftMs = untilMs - Date.now();
  const timer = leftMs <= 0 ? void stop() : leftMs < LONGEST_TIMER_MS ? setTimeout(stop, leftMs) : undefined;
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      clearTimeout(timer ?? undefined);
      process.off('SIGINT', stop).off('SIGTERM', stop);
    },
  };
}

/** Docker's line: time, type, action, id and attributes; JSON as it was written down; or a template. */
function printer(format: string | undefined): (event: ReadEvent) => string {
  if (format === 'json') return ({ line }) => line;
  if (format !== undefined && format !== '') {
    const template = compileTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
    return ({ record }) => template({ ...record, ID: record.Actor.ID });
  }
  return ({ record: { Type, Action, Actor, timeNano } }) => {
    const attributes = Object.entries(Actor.Attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('='));
    return `${localTime(timeNano)} ${Type} ${Action} ${Actor.ID} (${attributes.join(', ')})`;
  };
}

type Accept = (record: EventRecord, value: string) => boolean;

/** By id, a beginning of it, or name, of things of a type. */
const named = (type: string): Accept => ({ Type, Actor: { ID, Attributes } }, value) =>
  (Type === type && (ID.startsWith(value) || Attributes['name'] === value)) || (type === 'container' && Type === 'network' && Attributes['container'] === value);

const filters: Readonly<Record<string, Accept>> = {
  container: named('container'),
  network: named('network'),
  volume: named('volume'),
  image: (record, value) => named('image')(record, value) || (record.Type === 'container' && record.Actor.Attributes['image'] === value),
  type: ({ Type }, value) => Type === value,
  // `exec_start: sh -c ...` and `health_status: healthy` are found by what is before the colon, too.
  event: ({ Action }, value) => Action === value || Action.startsWith(`${value}:`),
  label: ({ Actor: { Attributes } }, value) => {
    const [key = '', ...rest] = value.split('=');
    return Object.hasOwn(Attributes, key) && (rest.length === 0 || Attributes[key] === rest.join('='));
  },
};

/** Of several values of one filter one must fit, of several filters all. @throws DelosError bad-usage */
export function eventFilter(texts: readonly string[]): (record: EventRecord) => boolean {
  const wanted = new Map<string, string[]>();
  for (const text of texts) {
    const [name = '', ...value] = text.split('=');
    if (!Object.hasOwn(filters, name) || value.length === 0) {
      throw new DelosError('bad-usage', `invalid --filter '${text}': expected one of ${Object.keys(filters).map((known) => `${known}=`).join(', ')}`);
    }
    wanted.set(name, [...(wanted.get(name) ?? []), value.join('=')]);
  }
  return (record) => [...wanted].every(([name, values]) => values.some((value) => filters[name]?.(record, value)));
}
