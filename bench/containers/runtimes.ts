import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { stateFolder } from './stage.ts';

/** An OCI runtime's command line. */
export interface Runtime {
  readonly name: string;
  readonly argv: (...words: readonly string[]) => string[];
}

/** `delos-oci` of a build folder. */
export function delosOci(build: string): Runtime {
  return runtime('delos-oci', path.join(build, 'delos-oci'));
}

/** Deletes whatever containers of a runtime are left. */
export function sweep({ name, argv }: Runtime): void {
  const folder = path.join(stateFolder, name);
  const ids = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  for (const id of ids) {
    const [program = '', ...rest] = argv('delete', '--force', id);
    spawnSync(program, rest, { stdio: 'ignore' });
  }
}

/** Those of the other runtimes that are installed. */
export function peers(): Runtime[] {
  return ['crun', 'runc'].flatMap((name) => {
    const program = find(name);
    return program === undefined ? [] : [runtime(name, program)];
  });
}

/** Where a program is, or undefined. */
export function find(name: string): string | undefined {
  const { stdout, status } = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The first line that a program says of its version. */
export function versionOf(program: string): string {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? '';
}

function runtime(name: string, program: string): Runtime {
  const global = ['--root', path.join(stateFolder, name)];
  return { name, argv: (...words) => [program, ...global, ...words] };
}
