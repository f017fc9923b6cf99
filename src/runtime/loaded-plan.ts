import fs from 'node:fs';
import type { EncodedPlan } from '../plan/encode.ts';
import { readRefusal, readStatus } from '../plan/refusal.ts';
import { memfd } from '../sys/memfd.ts';
import { refusedError } from './refused.ts';

/** A plan in a descriptor, ready for an executor; close it when its report has been read. */
export class LoadedPlan implements Disposable {
  readonly fd: number;

  constructor(plan: EncodedPlan) {
    this.fd = memfd('delos-plan', plan.bytes);
  }

  /**
   * The exit code of the executor.
   * @throws DelosError kernel-refused or hook-failed, when the plan reports a refusal
   */
  check(): number {
    return checkPlan(this.fd);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
  }
}

/** The exit code of a plan that has run, from its descriptor. @throws DelosError kernel-refused or hook-failed */
export function checkPlan(fd: number): number {
  const bytes = new Uint8Array(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  const refusal = readRefusal(bytes);
  if (refusal) throw refusedError(refusal);
  return readStatus(bytes);
}
