import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../../lib/errors.ts';
import { parseProcess } from '../../oci/config/parse.ts';
import type { Process } from '../../oci/config/types.ts';
import { execContainer } from '../../runtime/exec.ts';
import { readRecord } from '../../runtime/store.ts';
import { parseExecCgroups } from './exec-cgroup.ts';
import { execProcess } from './exec-process.ts';
import { reportCommand } from './report-command.ts';
import type { OciInvocation } from './invocation.ts';
import type { execFlags } from './lifecycle-flags.ts';
import { preservedDescriptors } from './preserved-descriptors.ts';

type ExecInvocation = OciInvocation<typeof execFlags>;

/** Resolves to the process's exit code, or to 0 when it is detached. */
export async function run(invocation: ExecInvocation): Promise<number> {
  const { globals, flags, positional: [id = ''], caller } = invocation;
  const { 'pid-file': pidFile, 'console-socket': consoleSocket } = flags;
  return execContainer({
    root: globals.root,
    systemdCgroup: globals['systemd-cgroup'],
    id,
    process: processOf(invocation),
    detach: flags.detach,
    ...(pidFile ? { pidFile: path.resolve(caller.cwd, pidFile) } : {}),
    ...(consoleSocket ? { consoleSocket: path.resolve(caller.cwd, consoleSocket) } : {}),
    ...preservedDescriptors(flags['preserve-fds'], caller.env),
    ignorePaused: flags['ignore-paused'],
    cgroup: parseExecCgroups(flags.cgroup),
  }, caller.place(reportCommand(invocation, true)));
}

function processOf({ globals, flags, positional: [id = '', ...args], caller }: ExecInvocation): Process {
  const { config } = readRecord(globals.root, id);
  if (flags.process) {
    const process = parseProcess(readFile(path.resolve(caller.cwd, flags.process)));
    return flags.tty ? { ...process, terminal: true } : process;
  }
  return execProcess(config.process ?? { cwd: '/' }, flags, args);
}

function readFile(file: string): Uint8Array {
  try {
    return fs.readFileSync(file);
  } catch (cause) {
    throw new DelosError('io', `--process: ${file} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
