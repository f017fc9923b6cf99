import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import type { Parsed, Program } from './flags.ts';
import { command, parseCommandLine } from './flags.ts';

const load = async (): Promise<{ run(): Promise<number> }> => ({ run: async () => 0 });

const run = command({
  name: 'run',
  aliases: ['container run'],
  summary: 'Run a command in a new container',
  usage: 'run [OPTIONS] IMAGE [COMMAND] [ARG...]',
  flags: [
    { name: 'interactive', short: 'i', type: 'bool', help: 'Keep stdin open' },
    { name: 'tty', short: 't', type: 'bool', help: 'Allocate a terminal' },
    { name: 'rm', type: 'bool', help: 'Remove afterwards' },
    { name: 'name', type: 'string', help: 'Name' },
    { name: 'env', short: 'e', type: 'list', help: 'Environment' },
    { name: 'hostname', short: 'h', type: 'string', help: 'Host name' },
    { name: 'memory', short: 'm', type: 'size', help: 'Memory limit' },
    { name: 'memory-swap', type: 'size', unlimited: true, help: 'Memory and swap' },
    { name: 'cpus', type: 'cpus', help: 'Processors' },
    { name: 'pids-limit', type: 'int', help: 'Processes' },
    { name: 'interval', type: 'duration', help: 'Interval' },
    { name: 'sig-proxy', type: 'bool', default: true, help: 'Forward signals' },
    { name: 'network', aliases: ['net'], type: 'string', default: 'none', help: 'Network' },
    { name: 'explain', type: 'string', bare: 'text', help: 'Explain' },
  ],
  positional: { min: 1, max: Infinity, stopAtFirst: true },
  load,
});
const ps = command({ name: 'ps', aliases: ['container ls'], summary: 'List', usage: 'ps', flags: [
  { name: 'all', short: 'a', type: 'bool', help: 'All' },
], positional: { min: 0, max: 0 }, load });
const kill = command({ name: 'kill', summary: 'Kill', usage: 'kill ID [SIGNAL]', flags: [
  { name: 'all', short: 'a', type: 'bool', help: 'All' },
  { name: 'bundle', short: 'b', type: 'string', help: 'Bundle' },
], positional: { min: 1, max: 2 }, load });
const nsShow = command({ name: 'ns show', summary: 'Show', usage: 'ns show PID', flags: [], positional: { min: 1, max: 1 }, load });

const delos: Program = {
  name: 'delos', summary: 'Containers', dialect: 'pflag', commands: [run, ps, kill, nsShow],
  globals: [{ name: 'debug', short: 'D', type: 'bool', help: 'Debug' }, { name: 'root', type: 'string', help: 'State' }],
};
const delosOci: Program = { ...delos, name: 'delos-oci', dialect: 'urfave' };

function invocation(program: Program, line: readonly string[]): Extract<Parsed, { kind: 'run' }>['invocation'] {
  const parsed = parseCommandLine(program, line);
  assert.equal(parsed.kind, 'run');
  return (parsed as Extract<Parsed, { kind: 'run' }>).invocation;
}

/** [command line, the flags that differ from their defaults, what is left] */
const accepted: [string, Record<string, unknown>, string[]][] = [
  ['run --name x alpine ls -la', { name: 'x' }, ['alpine', 'ls', '-la']],
  ['run -it -e A=1 -e B=2 alpine ls -la', { interactive: true, tty: true, env: ['A=1', 'B=2'] }, ['alpine', 'ls', '-la']],
  ['run -e A=1 -eB=2 -e=C=3 alpine', { env: ['A=1', 'B=2', 'C=3'] }, ['alpine']],
  ['run -iteA=1 alpine', { interactive: true, tty: true, env: ['A=1'] }, ['alpine']],
  ['run -ite A=1 alpine', { interactive: true, tty: true, env: ['A=1'] }, ['alpine']],
  ['run -it --tty=false alpine', { interactive: true }, ['alpine']],
  ['run -i -t=false alpine', { interactive: true }, ['alpine']],
  ['run --rm=false alpine', {}, ['alpine']],
  ['run --rm false', { rm: true }, ['false']],
  ['run --sig-proxy=false alpine', { 'sig-proxy': false }, ['alpine']],
  ['run --name=a=b alpine', { name: 'a=b' }, ['alpine']],
  ['run --name= alpine', { name: '' }, ['alpine']],
  ['run --name --rm alpine', { name: '--rm' }, ['alpine']],
  ['run -- alpine -it', {}, ['alpine', '-it']],
  ['run --rm -- alpine -- x', { rm: true }, ['alpine', '--', 'x']],
  ['run alpine -- ls', {}, ['alpine', '--', 'ls']],
  ['run alpine sh -c --help', {}, ['alpine', 'sh', '-c', '--help']],
  ['run -h box alpine', { hostname: 'box' }, ['alpine']],
  ['run -', {}, ['-']],
  ['run -m 512m --memory-swap -1 --cpus 1.5 --pids-limit 0x10 --interval 1m30s a',
    { memory: 512 * 1024 * 1024, 'memory-swap': -1, cpus: 1.5, 'pids-limit': 16, interval: 90_000 }, ['a']],
  ['run -m512m -m=1g a', { memory: 1024 ** 3 }, ['a']],
  ['run --pids-limit=-1 a', { 'pids-limit': -1 }, ['a']],
  ['run --net host a', { network: 'host' }, ['a']],
  ['run --explain a', { explain: 'text' }, ['a']],
  ['run --explain=json a', { explain: 'json' }, ['a']],
  ['container run --rm a', { rm: true }, ['a']],
];

for (const [line, flags, positional] of accepted) {
  test(`docker's dialect: ${line}`, () => {
    const { flags: read, positional: left } = invocation(delos, line.split(' '));
    assert.deepEqual(read, { interactive: false, tty: false, rm: false, env: [], 'sig-proxy': true, network: 'none', ...flags });
    assert.deepEqual(left, positional);
  });
}

test('flags of a command that does not stop may follow its arguments', () => {
  const { flags, positional } = invocation(delos, ['kill', 'abc', '--all', 'TERM']);
  assert.equal(flags['all'], true);
  assert.deepEqual(positional, ['abc', 'TERM']);
});

test('globals stand before the command', () => {
  const { globals, command: { name } } = invocation(delos, ['-D', '--root', '/x', 'ps']);
  assert.deepEqual(globals, { debug: true, root: '/x', version: false });
  assert.equal(name, 'ps');
});

for (const line of ['kill -bundle /x id 9', 'kill --bundle /x id 9', 'kill -b /x id 9', 'kill -b=/x id 9', 'kill id 9 --bundle=/x', '-root /r kill -b /x id 9']) {
  test(`runc's dialect: ${line}`, () => {
    const { flags, positional } = invocation(delosOci, line.split(' '));
    assert.deepEqual(flags, { all: false, bundle: '/x' });
    assert.deepEqual(positional, ['id', '9']);
  });
}

test('a list of one command line is not seen by the next', () => {
  invocation(delos, ['run', '-e', 'A=1', 'a']);
  assert.deepEqual(invocation(delos, ['run', 'a']).flags['env'], []);
});

const helped: [string, string | undefined, string | undefined][] = [
  ['', undefined, undefined], ['--help', undefined, undefined], ['-h', undefined, undefined], ['help', undefined, undefined],
  ['run --help', 'run', undefined], ['run --rm --help', 'run', undefined], ['help run', 'run', undefined], ['ps -h', 'ps', undefined],
  ['ps -ah', 'ps', undefined], ['ns', undefined, 'ns'], ['ns --help', undefined, 'ns'], ['help ns show', 'ns show', undefined],
];
for (const [line, name, group] of helped) {
  test(`help: ${line || '(nothing)'}`, () => {
    const parsed = parseCommandLine(delos, line === '' ? [] : line.split(' '));
    assert.equal(parsed.kind, 'help');
    assert.deepEqual([parsed.kind === 'help' && parsed.command?.name, parsed.kind === 'help' && parsed.group], [name, group]);
  });
}

test('version', () => {
  assert.deepEqual(parseCommandLine(delos, ['--version']), { kind: 'version' });
  assert.deepEqual(parseCommandLine(delos, ['-v']), { kind: 'version' });
});

const refused: [string, string][] = [
  ['run --nmae x a', "unknown flag: --nmae, did you mean --name? See 'delos run --help'."],
  ['run -x a', "unknown shorthand flag: 'x' in -x. See 'delos run --help'."],
  ['run -ix a', "unknown shorthand flag: 'x' in -ix. See 'delos run --help'."],
  ['run -name x a', "unknown shorthand flag: 'n' in -name. See 'delos run --help'."],
  ['run --name', "flag needs an argument: --name. See 'delos run --help'."],
  ['run -ie', "flag needs an argument: 'e' in -ie. See 'delos run --help'."],
  ['run --rm=maybe a', `invalid argument "maybe" for "--rm": invalid boolean 'maybe': expected true or false. See 'delos run --help'.`],
  ['run -m 1z a', `invalid argument "1z" for "-m, --memory": invalid size '1z': expected a number with an optional unit b, k, m, g, t or p. See 'delos run --help'.`],
  ['run -m -1 a', `invalid argument "-1" for "-m, --memory": invalid size '-1': expected a number with an optional unit b, k, m, g, t or p. See 'delos run --help'.`],
  ['run', "'delos run' requires at least 1 argument, 0 given. See 'delos run --help'."],
  ['ps x', "'delos ps' accepts no arguments, 1 given. See 'delos ps --help'."],
  ['ns show', "'delos ns show' requires exactly 1 argument, 0 given. See 'delos ns show --help'."],
  ['kill a b c', "'delos kill' accepts at most 2 arguments, 3 given. See 'delos kill --help'."],
  ['rnu a', "'rnu' is not a delos command, did you mean 'run'? See 'delos --help'."],
  ['frobnicate', "'frobnicate' is not a delos command. See 'delos --help'."],
  ['ns shwo 1', "'shwo' is not a delos ns command, did you mean 'show'? See 'delos ns --help'."],
  ['--bogus ps', "unknown flag: --bogus. See 'delos --help'."],
];
for (const [line, message] of refused) {
  test(`refused: ${line}`, () => {
    assert.throws(() => parseCommandLine(delos, line.split(' ')), (error) =>
      error instanceof DelosError && error.code === 'bad-usage' && (assert.equal(error.message, message), true));
  });
}

test('the values have the types of the table', () => {
  const typed: { name: string | undefined; env: string[]; network: string; memory: number | undefined; rm: boolean } =
    {} as Parameters<Awaited<ReturnType<typeof run.load>>['run']>[0]['flags'];
  assert.ok(typed);
});
