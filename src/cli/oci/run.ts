import { createRequest } from './create-request.ts';
import { explained } from './explain.ts';
import { reportCommand } from './report-command.ts';
import type { OciInvocation } from './invocation.ts';
import type { runFlags } from './lifecycle-flags.ts';

/** Resolves to the container's exit code, or to 0 when it is detached. */
export async function run(invocation: OciInvocation<typeof runFlags>): Promise<number> {
  const request = createRequest(invocation);
  if (await explained(invocation.globals.explain, request, invocation.flags.detach)) return 0;
  const { runContainer } = await import('../../runtime/create.ts');
  const place = invocation.caller.place(reportCommand(invocation, false));
  return runContainer({ ...request, detach: invocation.flags.detach, keep: invocation.flags.keep }, place);
}
