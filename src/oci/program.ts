import { AT_EACCESS, AT_FDCWD, CLOSE_RANGE_CLOEXEC, O_CLOEXEC, O_DIRECTORY, O_PATH, O_RDWR, O_WRONLY, X_OK } from '../abi/fcntl.ts';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../abi/mount.ts';
import type { ErrnoName } from '../abi/names.ts';
import { open_how } from '../abi/structs.ts';
import { cell, cStrings } from '../plan/block.ts';
import { call, type Accept, type Item, type Label, type Step } from '../plan/step.ts';
import { label, type Build, type Field } from './field.ts';
import { how, openTarget } from './open.ts';
import { startFifo } from './start-fifo.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** process.cwd is made when the image lacks it, as runc does, while the root can still be written to. */
export const makeCwd: Field = {
  at: [],
  support: 'full',
  init: (build) => {
    const cwd = build.config.process?.cwd ?? '/';
    if (cwd === '/') return [];
    return [...openTarget(build, cwd, 'directory', '/process/cwd'), call('close', [build.cells.target], '/process/cwd')];
  },
};

/**
 * process.cwd. It is opened without magic links: `/proc/self/fd/N` could be a directory of the host that somebody left open
 * (CVE-2024-21626).
 */
export const cwd: Field = {
  at: ['/process/cwd'],
  support: 'full',
  init: ({ config, cells }) => [
    call('openat2', [AT_FDCWD, config.process?.cwd ?? '/', how(O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), open_how.size], '/process/cwd', { out: cells.directory }),
    call('fchdir', [cells.directory], '/process/cwd'),
    call('close', [cells.directory], '/process/cwd'),
  ],
};

export const umask: Field = {
  at: ['/process/user/umask'],
  support: 'full',
  init: ({ config }) => [call('umask', [config.process?.user?.umask ?? 0o022], '/process/user/umask')],
};

/** Why the program is looked for in the folders of PATH, as a refusal has to say it. */
export const pathSearch = '/process/env';

/** A program that is not there is refused by `create`, not found out by `start`. */
export const findProgram: Field = {
  at: [],
  support: 'full',
  init: (build) => {
    const found = label('the program is there');
    const candidates = programPaths(build);
    const why = build.config.process?.args?.[0]?.includes('/') ? '/process/args/0' : pathSearch;
    return [
      ...candidates.flatMap((path, index): Item[] => {
        const last = index === candidates.length - 1;
        const next = label(`${path} is not it`);
        const accept = last ? {} : { ENOENT: next, ENOTDIR: next, EACCES: next };
        return [
          call('faccessat2', [AT_FDCWD, path, X_OK, AT_EACCESS], why, { accept }),
          // Whoever may search a directory may "execute" it. This never opens anything: it is EISDIR or ENOTDIR.
          call('openat', [AT_FDCWD, path, O_WRONLY | O_DIRECTORY | O_CLOEXEC, 0], why, { accept: { ENOTDIR: found, ...(last ? {} : { EISDIR: next }) } }),
          next,
        ];
      }),
      found,
    ];
  },
};

/** What `start` writes to, in init. */
export const fifo = cell('start');

/** `create` ends with init blocked in a read of the container's fifo, until `start` writes to it. Here it is opened. */
export const openStart: Field = {
  at: [],
  support: 'full',
  before: ({ request }) =>
    request.held ? [call('openat', [AT_FDCWD, startFifo(request.folder, 'making'), O_RDWR | O_CLOEXEC, 0], 'init waits for start', { out: fifo })] : [],
};

export const awaitStart: Field = {
  at: [],
  support: 'full',
  init: ({ request, cells }) => (request.held ? [call('read', [fifo, cells.message, 1], 'init waits for start', { want: 1 })] : []),
};

/** Nothing of the runtime goes over to the program but what --preserve-fds says. Before the filter, which need not allow it. */
export const closeOnExec: Field = {
  at: [],
  support: 'full',
  init: ({ request }) => [call('close_range', [3 + request.preserveFds, 0xffffffff, CLOSE_RANGE_CLOEXEC], '--preserve-fds')],
};

/** process.args and process.env: the end of init and the beginning of the container's program. */
export const program: Field = {
  at: ['/process/args', '/process/env'],
  support: 'full',
  init: (build) => {
    const { config, request } = build;
    const argv = cStrings(config.process?.args ?? []);
    const envp = cStrings(environment(build));
    const failures = request.held ? toldFailures(config.process?.args?.[0] ?? '') : [];
    const candidates = programPaths(build);
    return [
      ...candidates.flatMap((path, index) =>
        execute((accept) => call('execve', [path, argv, envp], '/process/args', { accept }), index === candidates.length - 1, failures)),
      call('exit_group', [255], 'never reached'),
      ...failures.flatMap(({ place, line }) => [
        place,
        call('write', [2, line, Buffer.byteLength(line)], '/process/args', { accept: { any: 'next' } }),
        call('exit_group', [255], '/process/args'),
      ]),
    ];
  },
};

/** What the kernel says of a program that is there and cannot be run, execve(2). The last row is for what it says seldom. */
const failureTexts: readonly (readonly [errno: ErrnoName | 'any', text: string])[] = [
  ['ENOENT', 'no such file or directory'], ['ENOTDIR', 'not a directory'], ['EACCES', 'permission denied'],
  ['ENOEXEC', 'exec format error'], ['E2BIG', 'argument list too long'], ['ENOMEM', 'cannot allocate memory'],
  ['EAGAIN', 'resource temporarily unavailable'], ['EPERM', 'operation not permitted'], ['ETXTBSY', 'text file busy'],
  ['any', 'cannot be executed'],
];

interface Failure {
  readonly errno: ErrnoName | 'any';
  /** Where it is told. */
  readonly place: Label;
  readonly line: string;
}

/** Once `start` has released init, nobody reads its report: what becomes of its program it tells on its stderr, and ends with 255. */
function toldFailures(name: string): Failure[] {
  return failureTexts.map(([errno, text]) => ({ errno, place: label(text), line: `exec ${name}: ${text}\n` }));
}

/** With these, the program is looked for in the next folder of PATH. execvp(3) */
const elsewhere: Accept = { ENOENT: 'next', ENOTDIR: 'next', EACCES: 'next' };

/**
 * Executes one of the paths at which the program may be. A step accepts four errors at most, so it is tried again with others until the
 * kernel's answer is among them: an execve that was refused has changed nothing.
 */
function execute(attempt: (accept: Accept) => Step, isLast: boolean, failures: readonly Failure[]): Item[] {
  if (failures.length === 0) return [attempt(isLast ? {} : elsewhere)];
  const absent = label('it is not in this folder');
  const accepts = failures.map(({ errno, place }) => [errno, !isLast && errno in elsewhere ? absent : place] as const);
  return [
    attempt({ ...Object.fromEntries(accepts.slice(0, 3)), any: 'next' }),
    attempt({ ...Object.fromEntries(accepts.slice(3, 6)), any: 'next' }),
    attempt(Object.fromEntries(accepts.slice(6))),
    absent,
  ];
}

/** Where the program may be: the path itself, or its name in each directory of the container's PATH. execvp(3) */
export function programPaths({ config }: Build): string[] {
  const name = config.process?.args?.[0] ?? '';
  if (name.includes('/')) return [name];
  const path = config.process?.env?.findLast((entry) => entry.startsWith('PATH='))?.slice(5) ?? defaultPath;
  return path.split(':').map((folder) => `${folder === '' ? '.' : folder}/${name}`);
}

/** process.env, with HOME from the image's passwd where it is not given, and what --preserve-fds passes on (sd_listen_fds(3)). */
function environment({ config, facts, request }: Build): string[] {
  const env = [...(config.process?.env ?? [])];
  if (!env.some((entry) => entry.startsWith('HOME='))) env.push(`HOME=${facts.home}`);
  if (request.listenFds > 0) env.push(`LISTEN_FDS=${request.listenFds}`, 'LISTEN_PID=1');
  return env;
}
