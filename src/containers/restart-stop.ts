import { killInit } from '../runtime/init-process.ts';
import type { Container } from './container.ts';
import { supervisorOf } from './restart.ts';

/**
 * Ends the process that clears up after a container, and that would start it again. What it was doing is the caller's to undo, who holds
 * the container's lock; without that it does nothing that could be cut in two. A caller that is itself this process lives on.
 * @throws DelosError kernel-refused
 */
export async function endSupervisor(container: Container): Promise<void> {
  const supervisor = supervisorOf(container);
  if (supervisor !== undefined && supervisor.pid !== process.pid) await killInit(supervisor);
}
