import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import type { EncodedPlan } from '../plan/encode.ts';
import { readRefusal } from '../plan/refusal.ts';
import { executorFd, memfd } from '../sys/memfd.ts';
import { refusedError } from './refused.ts';

/** Where the descriptors that a container inherits besides 0, 1 and 2 begin. */
const firstPreserved = 3;

/** A plan in a descriptor, ready for an executor; close it when its report has been read. */
export class LoadedPlan implements Disposable {
  readonly fd: number;
  readonly #length: number;

  constructor(plan: EncodedPlan) {
    this.fd = memfd('delos-plan', plan.bytes);
    this.#length = plan.bytes.length;
  }

  /** The plan's bytes as its processes have left them. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    fs.readSync(this.fd, bytes, 0, bytes.length, 0);
    return bytes;
  }

  /** @throws DelosError kernel-refused or hook-failed, when the plan reports a refusal. */
  check(): void {
    const refusal = readRefusal(this.bytes());
    if (refusal) throw refusedError(refusal);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
  }
}

/** The executor's stdio: 0 to 2 and the preserved descriptors are ours, then comes the plan. */
function stdio(plan: LoadedPlan, preserve: number): number[] {
  return [...Array.from({ length: firstPreserved + preserve }, (_, fd) => fd), plan.fd];
}

function executorPath(): string {
  return `/proc/self/fd/${executorFd()}`;
}

/** Runs a plan to its end in an executor of its own, which this process waits for. Gives its exit code. */
export function runPlanSync(plan: LoadedPlan, preserve: number): number {
  const { status, error } = spawnSync(executorPath(), [String(firstPreserved + preserve)], { stdio: stdio(plan, preserve) });
  if (error) throw error;
  plan.check();
  return status ?? 1;
}

/** The same without waiting. */
export function spawnPlan(plan: LoadedPlan, preserve: number): ChildProcess {
  return spawn(executorPath(), [String(firstPreserved + preserve)], { stdio: stdio(plan, preserve) });
}
