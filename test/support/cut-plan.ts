import { syscalls } from '../../src/abi/syscalls.ts';
import { stepSize, type EncodedPlan } from '../../src/plan/encode.ts';
import { spawned, type Place } from '../../src/runtime/place.ts';

/** 128 + SIGKILL */
const killed = 137;

/**
 * A place where whichever process of a plan comes to a certain step dies there: the kernel makes no difference between exit_group(2)
 * and SIGKILL, and a plan is data. So every moment of a container's making can be tried, each for certain.
 */
export class CutPlan implements Place {
  readonly refused = undefined;
  /** How many steps the plan had. */
  count = 0;
  readonly #step: number;

  constructor(step: number) {
    this.#step = step;
  }

  run(plan: EncodedPlan, preserve: number): Promise<number> {
    this.count = plan.steps.length;
    return spawned.run({ ...plan, bytes: dyingAt(plan.bytes, this.#step) }, preserve);
  }
}

/** native/plan.h, struct step */
function dyingAt(plan: Uint8Array, step: number): Uint8Array {
  const bytes = Uint8Array.from(plan);
  const view = new DataView(bytes.buffer);
  const at = view.getUint32(12, true) + step * stepSize;
  bytes.fill(0, at, at + stepSize);
  view.setUint32(at, syscalls.exit_group[0], true);
  view.setUint32(at + 8, killed, true);
  return bytes;
}
