import { DelosError } from '../../lib/errors.ts';
import type { CreateRequest } from '../../runtime/requests.ts';
import { print } from './output.ts';

/** Prints the plan if `--explain` asks for it, and tells whether it did. @throws DelosError bad-usage, and what planning throws */
export async function explained(format: string | undefined, request: CreateRequest, held: boolean): Promise<boolean> {
  if (format === undefined) return false;
  if (format !== 'text' && format !== 'json') throw new DelosError('bad-usage', `--explain: expected text or json, found ${JSON.stringify(format)}`);
  const { explainContainer } = await import('../../runtime/explain.ts');
  print(explainContainer(request, format, held));
  return true;
}
