/** `import { Machine } from 'delos/machine/browser'`: a computer in a page or a Worker. Nothing of Node is in it. docs/guide/library.md */
import { createInterpreter } from './engine/interpreter.ts';
import { embeddedFloat } from './library/machine/embedded-float.ts';
import type { CommonOptions } from './library/machine/options.ts';
import { VirtualMachine } from './library/machine/virtual-machine.ts';

export * from './library/machine/exports.ts';

export type MachineOptions = CommonOptions & {
  /** The processor in software, the only one that a browser has. */
  readonly engine?: 'interpreter';
};

/** A computer whose processor is software. It needs no SharedArrayBuffer, so any page can have it. */
export class Machine extends VirtualMachine {
  /** @throws DelosError `bad-kernel`, `bad-machine` or `bad-snapshot` for what can't be started */
  constructor(options: MachineOptions) {
    super(options, createInterpreter(embeddedFloat()), 'interpreter: this is a browser');
  }
}
