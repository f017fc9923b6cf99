// ./dev vm [--cgroup MODE] [--memory MIB] [--timeout SECONDS] [--processor MODEL] [--module NAME]... COMMAND...: a command in a virtual machine with Debian's kernel.
import { parseArgs } from 'node:util';
import type { CgroupMode } from './vm/initramfs.ts';
import { runInVm, vmMissing } from './vm/run.ts';

const usage = './dev vm [--cgroup unified|legacy|hybrid] [--memory MIB] [--timeout SECONDS] [--processor MODEL] [--module NAME]... [--] COMMAND...';
const modes: readonly CgroupMode[] = ['unified', 'legacy', 'hybrid'];

/** Our options end where the command begins, so that the command's own options need no `--` before them. */
function split(args: readonly string[]): { own: string[]; command: string[] } {
  let at = 0;
  while (args[at]?.startsWith('--') === true && args[at] !== '--') at += args[at]?.includes('=') === true ? 1 : 2;
  return { own: args.slice(0, at), command: args.slice(args[at] === '--' ? at + 1 : at) };
}

async function main(args: readonly string[]): Promise<number> {
  const { own, command } = split(args);
  const { values } = parseArgs({
    args: own,
    options: {
      cgroup: { type: 'string', default: 'unified' },
      memory: { type: 'string', default: '1024' },
      timeout: { type: 'string', default: '600' },
      processor: { type: 'string', default: 'max' },
      module: { type: 'string', multiple: true, default: [] },
    },
  });
  const cgroup = modes.find((mode) => mode === values.cgroup);
  if (cgroup === undefined || command.length === 0 || !(Number(values.memory) > 0) || !(Number(values.timeout) > 0)) throw new Error(usage);
  const missing = vmMissing();
  if (missing !== undefined) throw new Error(missing);
  const { exitCode } = await runInVm({
    command,
    cgroup,
    memoryMiB: Number(values.memory),
    timeoutSeconds: Number(values.timeout),
    processor: values.processor,
    modules: values.module,
    onOutput: (text) => process.stdout.write(text),
  });
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`dev vm: ${(error as Error).message}\n`);
  process.exitCode = 125;
}
