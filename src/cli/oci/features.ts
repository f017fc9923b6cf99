import manifest from '../../../package.json' with { type: 'json' };
import { features } from '../../runtime/features.ts';
import { print } from './output.ts';

export function run(): Promise<number> {
  print(`${JSON.stringify(features(manifest.version), null, 4)}\n`);
  return Promise.resolve(0);
}
