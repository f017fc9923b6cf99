import type { OciInvocation } from './invocation.ts';

/** The command line that tells of a refused plan (refused.ts), with the log and the root of the command that planned it. */
export function reportCommand({ globals, positional: [id = ''], caller }: OciInvocation<readonly []>, keep: boolean): string[] {
  const log = globals.log ? ['--log', globals.log] : [];
  const words = ['--root', globals.root, ...log, '--log-format', globals['log-format'], 'refused', ...(keep ? ['--keep'] : []), id];
  return [process.execPath, caller.program, ...words];
}
