import type { EventData } from 'node:test';
import { inspect } from 'node:util';
import type { TestEvent } from '../../tools/reporter.ts';
import type { GuestTest } from './guest-tests.ts';

/** A reporter of node:test: one line of JSON for each test that is no suite, as it ends. What tests print is left out. */
// oxlint-disable-next-line import/no-default-export -- node:test asks for it
export default async function* lines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type === 'test:pass') yield line(data as EventData.TestPass, undefined);
    if (type === 'test:fail') yield line(data as EventData.TestFail, (data as EventData.TestFail).details.error);
  }
}

function line({ file = '', name, nesting, skip, details }: EventData.TestPass | EventData.TestFail, error: Error | undefined): string {
  if (details.type === 'suite') return '';
  const test: GuestTest = {
    ...{ file, name, nesting },
    ...(skip !== undefined && { skip: String(skip) }),
    ...(error !== undefined && { failure: inspect(error.cause ?? error) }),
  };
  return `${JSON.stringify(test)}\n`;
}
