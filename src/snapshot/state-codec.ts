import type { CpuidAnswer, MachineState, ProcessorState, StateRegion } from '../machine/state.ts';
import { Reader, Writer } from './bytes.ts';
import { chunksOf, DIGEST_SIZE } from './chunks.ts';

/** A machine's state, and of each chunk of its memory the digest. */
export interface SnapshotState {
  readonly state: MachineState;
  /** In the order of {@link chunksOf}. */
  readonly digests: readonly Uint8Array[];
}

/** In the order in which {@link decodeState} reads them. */
export function encodeState({ state, digests }: SnapshotState): Uint8Array {
  const to = new Writer();
  to.list(state.regions, ({ guestAddress, size, readOnly }) => {
    to.wide(BigInt(guestAddress));
    to.wide(BigInt(size));
    to.byte(readOnly ? 1 : 0);
  });
  for (const digest of digests) to.raw(digest);
  to.list(state.cpus, ({ registers, otherMsrs }) => {
    to.blob(registers);
    to.list([...otherMsrs], ([number, value]) => {
      to.word(number);
      to.wide(value);
    });
  });
  to.list(state.cpuid, ({ leaf, subleaf, registers }) => [leaf, subleaf, ...registers].forEach((word) => to.word(word)));
  to.list([...state.devices], ([name, bytes]) => {
    to.text(name);
    to.blob(bytes);
  });
  to.list([...state.firmware], ([key, bytes]) => {
    to.word(key);
    to.blob(bytes);
  });
  to.list(state.input, (bytes) => to.blob(bytes));
  return to.bytes;
}

/** Whether a machine can be like this is the machine's to say. @throws DelosError `bad-snapshot` when the bytes are no state */
export function decodeState(bytes: Uint8Array): SnapshotState {
  const from = new Reader(bytes);
  const regions = from.list((): StateRegion => ({ guestAddress: from.size(), size: from.size(), readOnly: from.byte() !== 0 }));
  const digests: Uint8Array[] = [];
  for (const _ of chunksOf(regions)) digests.push(from.raw(DIGEST_SIZE));
  const cpus = from.list((): ProcessorState => ({ registers: from.blob(), otherMsrs: new Map(from.list(() => [from.word(), from.wide()] as const)) }));
  const cpuid = from.list((): CpuidAnswer => ({ leaf: from.word(), subleaf: from.word(), registers: [from.word(), from.word(), from.word(), from.word()] }));
  const devices = new Map(from.list(() => [from.text(), from.blob()] as const));
  const firmware = new Map(from.list(() => [from.word(), from.blob()] as const));
  const input = from.list(() => from.blob());
  from.end();
  return { state: { regions, cpus, cpuid, devices, firmware, input }, digests };
}
