import type { EventData } from 'node:test';
import { inspect } from 'node:util';
import type { TestEvent } from '../../tools/reporter.ts';
import type { GuestTest } from './guest-tests.ts';

/**
 * A reporter of node:test: one line of JSON for each test that is no suite, as it ends. What tests print is left out, but for what the
 * process of a file has written on stderr when the file fails as a whole: it is a test of its own then.
 */
// oxlint-disable-next-line import/no-default-export -- node:test asks for it
export default async function* lines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const complaints = new Map<string, string>();
  for await (const { type, data } of events) {
    if (type === 'test:stderr') collect(complaints, data as EventData.TestStderr);
    if (type === 'test:pass') yield line(data as EventData.TestPass);
    if (type === 'test:fail') yield line(data as EventData.TestFail, failureOf(data as EventData.TestFail, complaints));
  }
}

function collect(complaints: Map<string, string>, { file = '', message }: EventData.TestStderr): void {
  complaints.set(file, (complaints.get(file) ?? '') + message);
}

/** Of a test what it has thrown; of a file, whose error has a text for its cause, how its process ended and what it said. */
function failureOf({ file = '', details: { error } }: EventData.TestFail, complaints: ReadonlyMap<string, string>): string {
  return error.cause instanceof Error ? inspect(error.cause) : `${inspect(error)}\n${complaints.get(file) ?? ''}`;
}

function line({ file = '', name, nesting, skip, details }: EventData.TestPass | EventData.TestFail, failure?: string): string {
  if (details.type === 'suite') return '';
  const test: GuestTest = { ...{ file, name, nesting }, ...(skip !== undefined && { skip: String(skip) }), ...(failure !== undefined && { failure }) };
  return `${JSON.stringify(test)}\n`;
}
