import type { Solution, Westworld, WestworldHost } from '../hypervisor-sim.ts';
import { BOOT_ADDRESS } from '../kvm.ts';
import { Ledger } from '../ledger.ts';
import { link, reference } from '../link.ts';
import { Crash } from '../mapping.ts';

/** What a check expected and did not find. */
export class Unmet extends Error {
  override readonly name = 'Unmet';
}

/** @throws Unmet */
export function need(condition: unknown, expected: string): asserts condition {
  if (!condition) throw new Unmet(expected);
}

/** Far more than any guest of the checks runs, and over in milliseconds. */
const MOST_STEPS = 2000;

/** One program to try something with, and what can be seen of it. */
export class Stage {
  readonly program: Westworld;
  readonly ledger: Ledger;
  #printed = '';

  /** @param failing which allocation fails, from 0; none by default */
  constructor(solution: Solution, failing = -1) {
    this.ledger = new Ledger(failing);
    this.program = link({ ...solution, ...counted(solution) }, { ledger: this.ledger, write: (text) => (this.#printed += text) });
  }

  get printed(): string {
    return this.#printed;
  }

  /** A host with this code at an address, ready to run. @throws Unmet when it can't be had */
  host(code: readonly number[], addr = BOOT_ADDRESS): WestworldHost {
    const host = this.program.ford_creates_host(1);
    need(host, 'a host of 1 MB');
    need(this.program.ford_implants_memories(host, Uint8Array.from(code), addr) === 0, `${code.length} bytes to fit at 0x${addr.toString(16)}`);
    return host;
  }

  /** The same, run to its end. Gives what the guest printed alone, and what dolores_wakes_up returned. */
  lived(code: readonly number[], addr = BOOT_ADDRESS): { host: WestworldHost; result: number; said: string } {
    const host = this.host(code, addr);
    const before = this.#printed.length;
    const result = this.program.dolores_wakes_up(host);
    return { host, result, said: this.#printed.slice(before) };
  }
}

/** The two functions in which a wrong solution goes round for ever, with an end. */
function counted(solution: Solution): Solution {
  const { kvm_run, emulate_instruction } = { ...reference, ...solution };
  let steps = 0;
  const step = (): void => {
    if (++steps > MOST_STEPS) throw new Crash(`it does not end within ${MOST_STEPS} steps`);
  };
  return {
    kvm_run(vcpu) {
      step();
      return kvm_run?.call(this, vcpu) ?? -1;
    },
    emulate_instruction(vcpu, code) {
      step();
      return emulate_instruction?.call(this, vcpu, code) ?? -1;
    },
  };
}
