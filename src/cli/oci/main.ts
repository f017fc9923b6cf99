import { becoming } from '../../runtime/place.ts';
import { ociMain } from './command-line.ts';

/** One that was removed has no path but this one, below which nothing is found. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/proc/self/cwd';
  }
}

async function main(): Promise<void> {
  // Set rather than exit(), which would hide what still runs. Nothing is left to be written: all output of this program is synchronous.
  process.exitCode = await ociMain(process.argv.slice(2), {
    env: process.env, cwd: workingDirectory(), program: process.argv[1] ?? '', place: becoming,
  });
}

void main();
