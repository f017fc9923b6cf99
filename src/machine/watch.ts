/**
 * Looks on while a guest runs, and tells what only one does that wants to know what it runs on, or to get out of it. It changes nothing and
 * costs the same for each event: an engine may feed it millions. What it tells are reasons to look, no proofs: every kernel asks CPUID once.
 */

import { isHypervisorLeaf } from './stealth.ts';

export type AttemptKind = 'cpuid-probe' | 'timing-loop' | 'memory-probe' | 'hypercall-abuse';

export interface Attempt {
  readonly kind: AttemptKind;
  /** In words: `CPUID leaf 0x40000000, where only hypervisors answer`. */
  readonly what: string;
  /** How often the same was seen. */
  times: number;
}

export interface WatchOptions {
  /** Whether memory or a device is at all bytes of an access. Without it nothing is at any that is told. */
  isMapped?(address: number, size: number): boolean;
  /** Called once for each different attempt, when it is first seen. */
  report(attempt: Attempt): void;
  /** The highest hypercall that is answered; KVM's is KVM_HC_MAP_GPA_RANGE (linux/kvm_para.h). */
  readonly lastHypercall?: number;
}

const KVM_HC_MAP_GPA_RANGE = 12;
/** So many different attempts are told and remembered; of the others only how many there were. */
const MOST_ATTEMPTS = 10;
/** Two RDTSC nearer to each other than this, in cycles, have nothing between them that is worth to be timed. */
const SHORT_CYCLES = 100n;
/** Delays and clock drivers read the counter in pairs too; a loop of them does not end. */
const SHORT_PAIRS = 10;
/** One CPUID between two RDTSC may be chance; who measures does it again. */
const TIMED_EXITS = 3;
const PAGE_SIZE = 4096;

export class EscapeWatch {
  readonly #options: WatchOptions;
  readonly #found = new Map<string, Attempt>();
  #beyond = 0;
  #lastTsc: bigint | undefined;
  #shortPairs = 0;
  #exitSinceTsc = false;
  #timedExits = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** In the order in which they were first seen, ten at most. */
  get attempts(): readonly Attempt[] {
    return [...this.#found.values()];
  }

  /** Events that were attempts too, but of an eleventh sort and on. */
  get beyond(): number {
    return this.#beyond;
  }

  cpuid(leaf: number): void {
    this.#exitSinceTsc = true;
    if (leaf === 1) this.#seen('cpuid-probe', 'CPUID leaf 1, which has the hypervisor bit');
    else if (isHypervisorLeaf(leaf)) this.#seen('cpuid-probe', `CPUID leaf ${hex(leaf)}, where only hypervisors answer`);
  }

  /** @param value what RDTSC gave the guest */
  rdtsc(value: bigint): void {
    const last = this.#lastTsc;
    this.#lastTsc = value;
    if (last === undefined) return;
    if (this.#exitSinceTsc && ++this.#timedExits >= TIMED_EXITS) this.#seen('timing-loop', 'the time of a CPUID or a hypercall is taken again and again');
    this.#exitSinceTsc = false;
    this.#shortPairs = value - last < SHORT_CYCLES ? this.#shortPairs + 1 : 0;
    if (this.#shortPairs >= SHORT_PAIRS) this.#seen('timing-loop', `RDTSC in a loop, every ${SHORT_CYCLES} cycles or sooner`);
  }

  /** An access to guest-physical memory. What lies in the same page counts as the same. */
  access(address: number, size: number, isWrite: boolean): void {
    if (this.#options.isMapped?.(address, size) === true) return;
    const page = Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
    this.#seen('memory-probe', `${isWrite ? 'a write' : 'a read'} where nothing is, in the page of ${hex(page)}`);
  }

  /** @param number RAX at a VMCALL or VMMCALL, unsigned */
  vmcall(number: number): void {
    this.#exitSinceTsc = true;
    if (number > (this.#options.lastHypercall ?? KVM_HC_MAP_GPA_RANGE)) this.#seen('hypercall-abuse', `hypercall ${hex(number)}, which there is not`);
  }

  #seen(kind: AttemptKind, what: string): void {
    const known = this.#found.get(what);
    if (known !== undefined) {
      known.times++;
    } else if (this.#found.size === MOST_ATTEMPTS) {
      this.#beyond++;
    } else {
      const attempt = { kind, what, times: 1 };
      this.#found.set(what, attempt);
      this.#options.report(attempt);
    }
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
