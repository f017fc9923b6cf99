import { syscalls } from '../../src/abi/syscalls.ts';
import { stepSize, type EncodedPlan } from '../../src/plan/encode.ts';
import { spawned, type Place } from '../../src/runtime/place.ts';

/** NO_WANT */
const noWant = -0x80000000;

/** What comes of the step: whichever process gets there dies, or it is refused with EBADF. */
export type Fault = 'dies' | 'refused';

/** Instead of the step. The kernel makes no difference between exit_group(2), here with 128 + SIGKILL, and SIGKILL itself. */
const calls: Readonly<Record<Fault, readonly [number: number, argument: bigint]>> = {
  dies: [syscalls.exit_group[0], 137n],
  refused: [syscalls.close[0], -1n],
};

/** A place where a plan has a fault at one of its steps. A plan is data, so every moment of a container's making can be tried for certain. */
export class CutPlan implements Place {
  readonly refused = undefined;
  /** How many steps the plan had. */
  count = 0;
  readonly #step: number;
  readonly #fault: Fault;

  constructor(step: number, fault: Fault = 'dies') {
    this.#step = step;
    this.#fault = fault;
  }

  run(plan: EncodedPlan, preserve: number): Promise<number> {
    this.count = plan.steps.length;
    return spawned.run({ ...plan, bytes: withFault(plan.bytes, this.#step, this.#fault) }, preserve);
  }
}

/** native/plan.h, struct step */
function withFault(plan: Uint8Array, step: number, fault: Fault): Uint8Array {
  const bytes = Uint8Array.from(plan);
  const view = new DataView(bytes.buffer);
  const at = view.getUint32(12, true) + step * stepSize;
  const [number, argument] = calls[fault];
  // The reason stays.
  bytes.fill(0, at, at + 70);
  bytes.fill(0, at + 72, at + stepSize);
  view.setUint32(at, number, true);
  view.setBigInt64(at + 8, argument, true);
  view.setInt32(at + 64, noWant, true);
  return bytes;
}
