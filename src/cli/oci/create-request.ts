import path from 'node:path';
import type { CreateRequest } from '../../runtime/requests.ts';
import type { createFlags } from './lifecycle-flags.ts';
import type { OciInvocation } from './invocation.ts';
import { preservedDescriptors } from './preserved-descriptors.ts';

/** What `create` and `run` have in common. @throws DelosError bad-usage */
export function createRequest({ globals, flags, positional: [id = ''], caller, log }: OciInvocation<typeof createFlags>): CreateRequest {
  const { 'pid-file': pidFile, 'console-socket': consoleSocket } = flags;
  return {
    root: globals.root,
    systemdCgroup: globals['systemd-cgroup'],
    notes: log,
    ...(caller.cgroup !== undefined && { callerCgroup: caller.cgroup }),
    id,
    bundle: path.resolve(caller.cwd, flags.bundle),
    ...(pidFile ? { pidFile: path.resolve(caller.cwd, pidFile) } : {}),
    ...(consoleSocket ? { consoleSocket: path.resolve(caller.cwd, consoleSocket) } : {}),
    ...preservedDescriptors(flags['preserve-fds'], caller.env),
    ...(caller.env['NOTIFY_SOCKET'] ? { notifySocket: caller.env['NOTIFY_SOCKET'] } : {}),
    noPivot: flags['no-pivot'],
    noNewKeyring: flags['no-new-keyring'],
  };
}
