/**
 * The oracle: one instruction after another on the real processor, at ring 3 of a KVM guest, each on a state of its own.
 * It knows nothing of instructions: bytes in, state out. Faults cost most (some 50 µs here, where KVM interprets ring 0), then single
 * steps by TF, with which random bytes can be run whatever their length.
 *
 * Under a KVM that is virtualized itself these are not as on silicon: INT n other than INT3, INT1, SYSCALL and SYSENTER, SGDT and its
 * like (UMIP is on), loads of segment registers and far transfers (the descriptors are the host's), XGETBV, ports, the time-stamp
 * counter, everything in 32-bit code.
 */
import * as at from './layout.ts';
import { CaseWriter } from './case.ts';
import { SiliconGuest } from './machine.ts';
import { Result } from './result.ts';
import type { Case } from './case.ts';

export type { Case, Patch } from './case.ts';
export { Result } from './result.ts';
export type { Change, Exception, Outcome } from './result.ts';

export class Silicon implements Disposable {
  readonly #guest = new SiliconGuest();

  /** What became of each case; a case does not see what another has done. */
  run(cases: readonly Case[]): Result[] {
    const results: Result[] = [];
    while (results.length < cases.length) this.#batch(cases, results);
    return results;
  }

  /** As many as have room, from the first that has no result on. */
  #batch(cases: readonly Case[], results: Result[]): void {
    const writer = new CaseWriter(this.#guest.ram);
    const from = results.length;
    while (from + writer.count < cases.length && writer.add(cases[from + writer.count] as Case)) continue;
    const lost = this.#guest.run(writer.count);
    const bytes = this.#guest.results();
    for (let offset = 0; offset < bytes.length;) {
      const number = results.length;
      const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
      results.push(new Result(cases[number] as Case, view, lost.get(number - from)));
      offset += view.getUint32(at.found.size, true);
    }
    if (results.length === from) throw new Error('assertion: a batch without a result');
  }

  close(): void {
    this.#guest.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
