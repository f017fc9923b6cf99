import { workloads, type Bits, type GuestImages } from './guest.ts';
import { guestOnInterpreter } from './interpreted.ts';
import { Markers } from './markers.ts';

/** How many instructions each workload has at scale 1: counted by the interpreter, which counts exactly. A repeated string instruction is one. */
export async function countInstructions(images: GuestImages, bits: Bits): Promise<number[]> {
  const stop = new AbortController();
  const markers = new Markers(() => machine.cpu.instructions ?? NaN);
  using machine = guestOnInterpreter(images.multiboot(bits, 1, 1), (byte) => {
    markers.take([byte]);
    if (markers.ended) stop.abort();
  });
  const { kind } = await machine.run(stop.signal);
  if (kind !== 'stopped') throw new Error(`the bench's guest has ended with ${kind}`);
  return workloads.map((workload) => markers.of(workload)[0] ?? NaN);
}
