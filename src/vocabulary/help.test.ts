import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Program } from './flags.ts';
import { command } from './flags.ts';
import { commandHelp, programHelp } from './help.ts';

const load = async (): Promise<{ run(): Promise<number> }> => ({ run: async () => 0 });
const run = command({
  name: 'run', aliases: ['container run'], summary: 'Run a command in a new container', usage: 'run [OPTIONS] IMAGE', load,
  examples: ['delos run host id'], positional: { min: 1, max: 1 },
  flags: [
    { name: 'tty', short: 't', type: 'bool', help: 'Give the container a terminal of its own, and make it the controlling one' },
    { name: 'env', short: 'e', type: 'list', help: 'Set a variable' },
    { name: 'network', type: 'string', default: 'none', help: 'Network' },
    { name: 'explain', type: 'string', bare: 'text', help: 'Explain', value: 'text|json' },
    { name: 'secret', type: 'bool', help: 'Not shown', hidden: true },
  ],
});
const show = command({ name: 'ns show', summary: 'Show namespaces', usage: 'ns show PID', flags: [], positional: { min: 1, max: 1 }, load });
const hidden = command({ name: 'init', summary: 'Internal', usage: 'init', flags: [], positional: { min: 0, max: 0 }, load, hidden: true });
const program: Program = { name: 'delos', summary: 'Containers', dialect: 'pflag', globals: [], commands: [run, show, hidden] };

test('the help of a command', () => {
  assert.equal(commandHelp(program, run, 60), `Usage:  delos run [OPTIONS] IMAGE

Run a command in a new container

Aliases:
  delos run, delos container run

Options:
  -e, --env list              Set a variable
      --explain[=text|json]   Explain
      --network string        Network (default "none")
  -t, --tty                   Give the container a terminal
                              of its own, and make it the
                              controlling one

Examples:
  delos run host id
`);
});

test('the help of the program leaves out aliases and hidden commands', () => {
  assert.equal(programHelp(program), `Usage:  delos [OPTIONS] COMMAND

Containers

Commands:
  run       Run a command in a new container
  ns show   Show namespaces

Global Options:
  -v, --version   Print version information and quit

Run 'delos COMMAND --help' for more information on a command.
`);
});

test('the help of a group shows its members, aliases too', () => {
  assert.match(programHelp(program, 'ns'), /^Usage: {2}delos ns COMMAND\n\nCommands:\n {2}show {3}Show namespaces\n/);
  assert.match(programHelp(program, 'container'), /\n {2}run {3}Run a command/);
});
