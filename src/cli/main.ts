import { DelosError } from '../lib/errors.ts';
import { program } from './commands/table.ts';
import { commandHelp, programHelp } from '../vocabulary/help.ts';
import { parseCommandLine } from '../vocabulary/flags.ts';

/** Docker's exit codes for a container that could not be run: our fault or the caller's; not executable; not found. */
const FAILED = 125;
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(program, argv);
  if (parsed.kind === 'run') {
    const { run } = await parsed.invocation.command.load();
    return run(parsed.invocation);
  }
  if (parsed.kind === 'version') {
    const { run } = await import('./commands/version.ts');
    return run();
  }
  const columns = process.stdout.columns ?? 80;
  process.stdout.write(parsed.command === undefined ? programHelp(program, parsed.group, columns) : commandHelp(program, parsed.command, columns));
  return 0;
}

function exitCodeOf({ detail: { field, call, errno } }: DelosError): number {
  if (field === undefined || !field.startsWith('/process/args')) return FAILED;
  return call === 'faccessat2' && (errno === 'ENOENT' || errno === 'ENOTDIR') ? NOT_FOUND : CANNOT_EXECUTE;
}

// Whoever reads has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

async function exitCode(argv: readonly string[]): Promise<number> {
  try {
    return await main(argv);
  } catch (error) {
    // Anything else is our own bug and keeps its stack.
    if (!(error instanceof DelosError)) throw error;
    process.stderr.write(`delos: ${error.message}\n`);
    return exitCodeOf(error);
  }
}

/** At once: taking down V8's heap in good order takes longer than removing a container. But not before all is written. */
function end(code: number): void {
  process.exitCode = code;
  if (process.stdout.writableLength === 0 && process.stderr.writableLength === 0) process.exit();
}

void exitCode(process.argv.slice(2)).then(end);
