import fs from 'node:fs';
import { errnoOf } from '../../cgroup/control-file.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { spec, specFaults } from '../../westworld/grading/spec.ts';
import type { globalFlags } from './context.ts';

/** `delos westworld spec`: prints it, or validates a file. 1 when that asks for something else. */
export async function run({ positional: [file] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  if (file === undefined) {
    process.stdout.write(`${JSON.stringify(spec, null, 2)}\n`);
    return 0;
  }
  const faults = specFaults(parsed(file));
  process.stdout.write(faults.length === 0 ? `${file}: the same\n` : faults.map((fault) => `${file}: ${fault}\n`).join(''));
  return faults.length === 0 ? 0 : 1;
}

function parsed(file: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (cause) {
    const message = errnoOf(cause) ?? (cause as Error).message;
    throw new DelosError('io', `${file}: cannot be read as JSON: ${message}`, { cause });
  }
}
