import manifest from '../../../package.json' with { type: 'json' };
import { features } from '../../runtime/features.ts';

export function run(): Promise<number> {
  process.stdout.write(`${JSON.stringify(features(manifest.version), null, 4)}\n`);
  return Promise.resolve(0);
}
