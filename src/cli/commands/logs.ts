import type { LogEntry } from '../../containers/log.ts';
import { readLog } from '../../containers/log.ts';
import { fileOf } from '../../containers/places.ts';
import { readContainer } from '../../containers/catalogue.ts';
import { standingOf } from '../../containers/standing.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, warn, type globalFlags } from './context.ts';
import type { logsFlags } from './flags.ts';
import { moment } from './moment.ts';

/** `delos logs`. */
export async function run({ flags, globals, positional: [word = ''] }: Invocation<typeof logsFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const [since, until] = [momentOf('since', flags.since), momentOf('until', flags.until)];
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

function momentOf(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : moment(flag, text);
}
