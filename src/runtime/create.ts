import { AT_FDCWD, S_IFIFO } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import { planContainer, type PlanOptions } from '../oci/plan.ts';
import { startFifo } from '../oci/start-fifo.ts';
import { encode } from '../plan/encode.ts';
import { syscall } from '../sys/syscall.ts';
import { deleteContainer } from './delete.ts';
import { spawned, type Place } from './place.ts';
import { prepare, type Prepared } from './prepare.ts';
import type { CreateRequest, RunRequest } from './requests.ts';
import { startContainer } from './start.ts';
import { requireFree, reserve } from './store.ts';
import { runInTerminal } from './terminal.ts';

/**
 * Builds a container up to the moment before its program: `create`. When it fails nothing is left of it.
 * @throws DelosError
 */
export async function createContainer(wanted: CreateRequest, place: Place = spawned): Promise<void> {
  const prepared = checked(wanted, true);
  if (prepared.config.process?.terminal && wanted.consoleSocket === undefined) {
    throw new DelosError('bad-usage', 'cannot allocate tty if the container is detached without a console socket');
  }
  await build(wanted, prepared, place, {});
}

/**
 * `run`: builds the container, starts its program and waits for it, unless it is detached.
 * @returns the container's exit code, 128+n for a signal
 * @throws DelosError
 */
export async function runContainer(wanted: RunRequest, place: Place = spawned): Promise<number> {
  if (wanted.detach) {
    place.needOwnProcess?.();
    await createContainer(wanted);
    await startContainer(wanted.root, wanted.id);
    return 0;
  }
  const prepared = checked(wanted, false);
  if (prepared.config.process?.terminal && wanted.consoleSocket === undefined) {
    place.needOwnProcess?.();
    return runInTerminal((consoleSocket) => runContainer({ ...wanted, consoleSocket }));
  }
  return build(wanted, prepared, place, { keep: wanted.keep });
}

function checked(wanted: CreateRequest, held: boolean): Prepared {
  requireFree(wanted.root, wanted.id);
  const prepared = timed(wanted, 'configuration read and checked, facts gathered', () => prepare(wanted, held));
  for (const warning of prepared.warnings) wanted.notes?.warn(warning);
  return prepared;
}

async function build(wanted: CreateRequest, prepared: Prepared, place: Place, options: PlanOptions): Promise<number> {
  // Only there it is known whether they are open; else a descriptor of the plan could take their place, and stay.
  if (wanted.preserveFds > 0) place.needOwnProcess?.();
  const refused = place.refused && { refused: place.refused };
  const plan = timed(wanted, 'planned', () => encode(planContainer(prepared.config, prepared.facts, prepared.request, { ...options, ...refused })));
  wanted.notes?.debug(`${plan.steps.length} steps, ${plan.bytes.length} bytes`);
  timed(wanted, 'id reserved, record written', () => reserve(wanted.root, prepared.record));
  try {
    if (prepared.request.held) makeStart(prepared.request.folder);
    return await place.run(plan, wanted.preserveFds);
  } catch (error) {
    await deleteContainer(wanted.root, wanted.id, { force: true });
    throw error;
  }
}

/** The time of a phase, for --debug. */
function timed<Result>({ notes }: CreateRequest, phase: string, work: () => Result): Result {
  const begin = performance.now();
  const result = work();
  notes?.debug(`${phase}: ${(performance.now() - begin).toFixed(2)} ms`);
  return result;
}

/** The fifo that `start` writes to once the container is built. */
export function makeStart(folder: string): void {
  syscall('mknodat', AT_FDCWD, startFifo(folder, 'making'), S_IFIFO | 0o600, 0);
}
