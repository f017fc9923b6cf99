import { ociMain } from './command-line.ts';

async function main(): Promise<void> {
  // Set rather than exit(), which would hide what still runs. Nothing is left to be written: all output of this program is synchronous.
  process.exitCode = await ociMain(process.argv.slice(2), process.env, process.cwd());
}

void main();
