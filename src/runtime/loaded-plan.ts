import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
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

  /** The plan as its processes have left it. */
  report(): Uint8Array {
    return readPlan(this.fd);
  }

  /**
   * The exit code of the executor.
   * @throws DelosError kernel-refused or hook-failed, when the plan reports a refusal; interrupted, when its executor was killed
   */
  check(): number {
    return checkPlan(this.fd);
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.fd);
  }
}

/** The exit code of a plan that has run, from its descriptor. @throws DelosError kernel-refused, hook-failed, interrupted */
export function checkPlan(fd: number): number {
  return checkReport(readPlan(fd));
}

/** The same from its bytes. */
export function checkReport(bytes: Uint8Array): number {
  const refusal = readRefusal(bytes);
  if (refusal) throw refusedError(refusal);
  const status = readStatus(bytes);
  if (status === undefined) throw new DelosError('interrupted', 'the process that runs the plan was killed before the container ended');
  return status;
}

function readPlan(fd: number): Uint8Array {
  const bytes = new Uint8Array(fs.fstatSync(fd).size);
  fs.readSync(fd, bytes, 0, bytes.length, 0);
  return bytes;
}
