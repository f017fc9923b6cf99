import { containerState } from '../../runtime/state.ts';
import { readRecord } from '../../runtime/store.ts';
import type { OciInvocation } from './invocation.ts';
import { print } from './output.ts';

export function run({ globals: { root }, positional: [id = ''] }: OciInvocation<readonly []>): Promise<number> {
  print(`${JSON.stringify(containerState(root, readRecord(root, id)), null, 2)}\n`);
  return Promise.resolve(0);
}
