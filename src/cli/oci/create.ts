import { createRequest } from './create-request.ts';
import { explained } from './explain.ts';
import { reportCommand } from './report-command.ts';
import type { OciInvocation } from './invocation.ts';
import type { createFlags } from './lifecycle-flags.ts';

export async function run(invocation: OciInvocation<typeof createFlags>): Promise<number> {
  const request = createRequest(invocation);
  if (await explained(invocation.globals.explain, request, true)) return 0;
  const { createContainer } = await import('../../runtime/create.ts');
  await createContainer(request, invocation.caller.place(reportCommand(invocation, false)));
  return 0;
}
