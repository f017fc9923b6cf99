import { planContainer } from '../oci/plan.ts';
import { explainJson, explainText } from '../plan/explain.ts';
import { prepare } from './prepare.ts';
import type { CreateRequest } from './requests.ts';

/**
 * The plan of `create`, or of `run` when the container is not `held` for start, as text or JSON. Nothing is run and nothing is made.
 */
export function explainContainer(wanted: CreateRequest, format: 'text' | 'json', held = true): string {
  const { config, facts, request } = prepare(wanted, held);
  const plan = planContainer(config, facts, request);
  return format === 'json' ? `${JSON.stringify(explainJson(plan), null, 2)}\n` : explainText(plan);
}
