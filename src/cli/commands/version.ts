import os from 'node:os';
import manifest from '../../../package.json' with { type: 'json' };

/** `delos version` and `delos --version`. */
export async function run(): Promise<number> {
  process.stdout.write(`delos ${manifest.version}\nspec 1.3.0\nnode ${process.versions.node}\nkernel ${os.release()}\n`);
  return 0;
}
