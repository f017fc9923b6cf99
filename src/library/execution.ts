import { setTimeout as sleep } from 'node:timers/promises';
import { SIGKILL } from '../abi/signal.ts';
import { signalName } from '../vocabulary/signal.ts';
import type { EncodedPlan } from '../plan/encode.ts';
import { readInit, signalInit } from '../runtime/init-process.ts';
import { neverBegan, Zygote, type Stdio } from '../runtime/zygote.ts';

/** The exit code of what SIGKILL has ended. */
export const KILLED = 128 + SIGKILL;

let zygote: Zygote | undefined;

/** This process's zygote; a new one when the last has died. It keeps no process from ending. */
function currentZygote(): Zygote {
  if (!zygote?.isAlive) zygote = new Zygote();
  return zygote;
}

/**
 * Runs a plan in this process's zygote. When the zygote dies before it takes the plan, a new one gets it.
 * @returns the plan's bytes as its processes have left them
 */
export async function execute(plan: EncodedPlan, stdio: Stdio): Promise<Uint8Array> {
  const first = currentZygote();
  try {
    return await first.run(plan, stdio);
  } catch (error) {
    if (!neverBegan(error)) throw error;
    first[Symbol.dispose]();
    return currentZygote().run(plan, stdio);
  }
}

/** Kills the container of a folder as soon as it has an init. Comes back when it has been killed, or when `isOver`. */
export async function killWhenThere(folder: string, isOver: () => boolean): Promise<void> {
  for (; !isOver(); await sleep(1)) {
    const init = readInit(folder);
    if (init !== undefined) {
      signalInit(init, SIGKILL);
      return;
    }
  }
}

/** The signal that an exit code stands for. */
export function signalOf(exitCode: number): { signal?: string } {
  return exitCode > 128 && exitCode <= 128 + 64 ? { signal: signalName(exitCode - 128) } : {};
}
