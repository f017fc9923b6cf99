import type { LogEntry } from '../../containers/log.ts';
import { readLog } from '../../containers/log.ts';
import { fileOf } from '../../containers/places.ts';
import { readContainer } from '../../containers/catalogue.ts';
import { standingOf } from '../../containers/standing.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseDuration } from '../../vocabulary/units.ts';
import { find, placesOf, warn, type globalFlags } from './context.ts';
import type { logsFlags } from './flags.ts';

/** `delos logs`. */
export async function run({ flags, globals, positional: [word = ''] }: Invocation<typeof logsFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const [since, until] = [moment('since', flags.since), moment('until', flags.until)];
  const tail = tailCount(flags.tail);
  if (container.direct) warn(`container ${container.name} wrote straight to where it was started from: of that there is no log`);
  const file = fileOf(places, container.id, 'log');
  const goesOn = (): boolean => {
    const now = flags.follow ? readContainer(places, container.id) : undefined;
    return now !== undefined && standingOf(places, now).status !== 'stopped';
  };
  const beginsLine = { stdout: true, stderr: true };
  for await (const entry of readLog(file, { goesOn, tail })) {
    const at = Date.parse(entry.time);
    if (until !== undefined && at > until) break;
    if (since !== undefined && at < since) continue;
    await write(entry, flags.timestamps && beginsLine[entry.stream]);
    beginsLine[entry.stream] = !entry.partial;
  }
  return 0;
}

async function write({ stream, time, text, partial }: LogEntry, stamped: boolean): Promise<void> {
  const to = stream === 'stdout' ? process.stdout : process.stderr;
  const line = Buffer.concat([Buffer.from(stamped ? `${time} ` : ''), text, Buffer.from(partial ? '' : '\n')]);
  if (!to.write(line)) await new Promise((resolve) => to.once('drain', resolve));
}

function tailCount(text: string): number | undefined {
  if (text === 'all') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw badFlag('tail', text, "expected a number of lines or 'all'");
  return Number(text);
}

/** A time, as seconds since 1970, RFC 3339, or how long ago; in milliseconds. */
function moment(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at)) return at;
  }
  if (/^[\d.]+[a-zµ]/.test(text)) return Date.now() - parseDuration(text);
  throw badFlag(flag, text, 'expected a time such as 2026-11-21T10:00:00Z or 10m');
}
