/** `delos westworld`: the exercise of a simulated hypervisor, its machine and its tests. */

import { command, type Command, type Flag } from '../../vocabulary/flags.ts';
import type { globalFlags } from './context.ts';

const code = { name: 'code', type: 'string', value: 'hex', help: "The guest as bytes: 'ba f8 03 b0 48 ee f4'" } as const;
const at = { name: 'at', type: 'string', value: 'address', default: '0x7c00', help: 'Where the guest is put and begins' } as const;

export const westworldRunFlags = [
  code, at,
  { name: 'memory', short: 'm', type: 'int', value: 'MB', default: 1, help: 'Memory of the host' },
  { name: 'steps', type: 'int', default: 1_000_000, help: 'Instructions after which the guest is stopped' },
  { name: 'watch', type: 'bool', help: 'Report attempts to find out, or to get out; the tenth ends it' },
  { name: 'stealth', type: 'bool', help: 'Keep quiet about the hypervisor in CPUID' },
] as const;

export const westworldTraceFlags = [
  code, at,
  { name: 'park', type: 'bool', help: 'In the words of the park, too' },
  { name: 'json', type: 'bool', help: 'As JSON' },
] as const;

export const explainVmxFlags = [code] as const;

export const westworldQuizFlags = [
  { name: 'answers', type: 'string', value: 'letters', help: 'Mark these instead of asking: one letter a question' },
  { name: 'explain', type: 'bool', help: 'Print the right answers and why' },
] as const;

export const westworldTestFlags = [{ name: 'json', type: 'bool', help: 'As JSON' }] as const;

/** A guest is one file, or none. */
const guest = { min: 0, max: 1 } as const;
const nothing = { min: 0, max: 0 } as const;

/** Declares a command with the types of its flags, then forgets them. */
function row<const F extends readonly Flag[]>(declared: Command<F, typeof globalFlags>): Command {
  return command(declared) as unknown as Command;
}

export const westworldCommands: readonly Command[] = [
  row({
    name: 'explain machines', summary: 'Say which hypervisors there are, how they work, and what this host has for them', usage: 'explain machines', flags: [], positional: nothing,
    load: () => import('./explain-machines.ts'),
  }),
  row({
    name: 'explain vmx', summary: "Show a guest's life in the instructions of VT-x, on a modelled processor", usage: 'explain vmx [OPTIONS] [FILE]',
    flags: explainVmxFlags, positional: guest, load: () => import('./explain-vmx.ts'),
  }),
  row({
    name: 'westworld run', summary: "Run a guest on the simulated hypervisor; without one, the document's session", usage: 'westworld run [OPTIONS] [FILE]',
    flags: westworldRunFlags, positional: guest,
    examples: ['delos westworld run', "delos westworld run --code 'ba f8 03 b0 48 ee f4'", "delos westworld run --watch --code '66 b8 01 00 00 00 0f a2 f4'"],
    load: () => import('./westworld-run.ts'),
  }),
  row({
    name: 'westworld trace', summary: 'Show each instruction and VM exit of a guest', usage: 'westworld trace [OPTIONS] [FILE]',
    flags: westworldTraceFlags, positional: guest, load: () => import('./westworld-trace.ts'),
  }),
  row({ name: 'westworld glossary', summary: 'Say what in the park is what in a machine', usage: 'westworld glossary', flags: [], positional: nothing, load: () => import('./westworld-glossary.ts') }),
  row({
    name: 'westworld quiz', aliases: ['westworld qcm'], summary: 'Ask the ten questions of the document', usage: 'westworld quiz [OPTIONS]',
    flags: westworldQuizFlags, positional: nothing, examples: ['delos westworld quiz --answers BCBCBBBBBC'], load: () => import('./westworld-quiz.ts'),
  }),
  row({
    name: 'westworld test', aliases: ['westworld tests', 'westworld grade'], summary: 'Grade a solution of the exercise: the reference, a built-in one, or a file',
    usage: 'westworld test [OPTIONS] [SOLUTION|FILE.ts]', flags: westworldTestFlags, positional: guest,
    examples: ['delos westworld test mutant-a', 'delos westworld test ./my-solution.ts'], load: () => import('./westworld-test.ts'),
  }),
  row({
    name: 'westworld mutants', summary: 'Grade all built-in solutions: right ones have to pass, wrong ones to fail', usage: 'westworld mutants', flags: [], positional: nothing,
    load: () => import('./westworld-mutants.ts'),
  }),
  row({
    name: 'westworld spec', summary: 'Print what is tested as a spec.json, or say where one asks for something else', usage: 'westworld spec [FILE]', flags: [], positional: guest,
    load: () => import('./westworld-spec.ts'),
  }),
];
