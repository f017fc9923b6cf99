import type { HealthPlan } from '../containers/health.ts';
import type { RestartPolicy } from '../containers/restart.ts';
import { DelosError } from '../lib/errors.ts';
import { parseLabels } from '../vocabulary/key-value.ts';
import { checkName } from '../vocabulary/names.ts';
import type { Signal } from '../vocabulary/signal.ts';
import { parseSignal } from '../vocabulary/signal.ts';
import type { ImageDefaults } from './facts.ts';
import type { CreateFlags } from './flags.ts';
import { healthPlan } from './health.ts';
import { badFlag, badFlags } from './refusal.ts';
import { restartPolicy } from './restart.ts';

/** What the flags say about a container that config.json has no place for: it is kept beside the container. */
export interface Lifecycle {
  /** Absent: the container gets a random one. */
  readonly name?: string;
  /** The image's, and those of the flags. */
  readonly labels: Readonly<Record<string, string>>;
  readonly autoRemove: boolean;
  readonly stopSignal: Signal;
  /** -1 waits for ever. */
  readonly stopTimeoutSeconds: number;
  readonly interactive: boolean;
  readonly restart?: RestartPolicy;
  readonly health?: HealthPlan;
  /** Print the plan in this form and run nothing. */
  readonly explain?: 'text' | 'json';
}

/** Docker's patience. */
const STOP_TIMEOUT_SECONDS = 10;

/** Throws `bad-usage`, `bad-id` for a name, `unsupported` for an isolation there is not. */
export function everydayLifecycle(flags: CreateFlags, image: ImageDefaults): Lifecycle {
  const { name, explain, isolation, 'stop-timeout': timeout = STOP_TIMEOUT_SECONDS } = flags;
  if (name !== undefined) checkName(name);
  if (timeout < -1) throw badFlag('stop-timeout', timeout, 'expected a number of seconds, or -1 to wait for ever');
  if (isolation !== 'container') throw new DelosError('unsupported', `--isolation ${isolation}: expected container`);
  if (explain !== undefined && explain !== 'text' && explain !== 'json') throw badFlag('explain', explain, 'expected text or json');
  const [restart, health] = [restartPolicy(flags.restart), healthPlan(flags, image)];
  if (restart !== undefined && flags.rm) throw badFlags('cannot specify both --restart and --rm');
  return {
    ...(name === undefined ? {} : { name }),
    labels: { ...image.labels, ...parseLabels('label', flags.label) },
    autoRemove: flags.rm,
    stopSignal: parseSignal(flags['stop-signal'] ?? image.stopSignal ?? 'SIGTERM'),
    stopTimeoutSeconds: timeout,
    interactive: flags.interactive,
    ...(restart !== undefined && { restart }),
    ...(health !== undefined && { health }),
    ...(explain === undefined ? {} : { explain }),
  };
}

/** Checks what `run` itself adds: `-d` leaves nobody to type. Throws `bad-usage`. */
export function checkAttachment(flags: { readonly detach: boolean; readonly explain: string | undefined }): void {
  if (flags.detach && flags.explain !== undefined) throw badFlags('--detach and --explain, which runs nothing');
}
