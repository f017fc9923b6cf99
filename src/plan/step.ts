import { syscalls, type SyscallName } from '../abi/syscalls.ts';
import type { ErrnoName } from '../abi/names.ts';
import type { Address, Block, Cell } from './block.ts';

/** A place in a plan that steps can jump to. It stands in the list of steps where it points to. */
export class Label {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A string is passed as the address of its NUL-terminated bytes, a block as its address, a cell as its contents. */
export type Arg = number | bigint | string | Block | Cell | Address | Label;

export interface Step {
  readonly call: SyscallName;
  readonly args: readonly Arg[];
  /** Why the step is there: a JSON pointer into config.json, or a few words when no field asked for it. */
  readonly why: string;
  /** Takes the result. */
  readonly out?: Cell | undefined;
  /** The only result that is no failure; a short write is one. */
  readonly want?: number | undefined;
  /** Errors that are no failure, and where to go on: `next` is the step after. `any` stands for every error. */
  readonly accept?: Accept | undefined;
  /** clone3: where the child goes on. */
  readonly child?: Label | undefined;
}

export type Accept = Partial<Record<ErrnoName | 'any', Label | 'next'>>;

export type Item = Step | Label;

/** Steps under a heading, for people; to the executor a plan is one list. The last step must not fall through. */
export interface Section {
  readonly name: string;
  readonly items: readonly Item[];
}

/** A list of system calls as data. It starts with the first step of the first section. */
export interface Plan {
  readonly sections: readonly Section[];
}

const noOptions: Omit<Step, 'call' | 'args' | 'why'> = {};

/** One step. All have the same members, given or not, since that is what makes many of them fast to read. Throws an assertion when the number of arguments is not the call's. */
export function call(name: SyscallName, args: readonly Arg[], why: string, options = noOptions): Step {
  const arity = syscalls[name].length - 1;
  if (args.length !== arity) throw new Error(`assertion: ${name} takes ${arity} arguments, the plan gives ${args.length} (${why})`);
  return { call: name, args, why, out: options.out, want: options.want, accept: options.accept, child: options.child };
}

export function jump(to: Label, why: string): Step {
  return call('jump', [to], why);
}
