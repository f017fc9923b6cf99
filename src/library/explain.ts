import { planContainer } from '../oci/plan.ts';
import { explainJson, explainText, type ExplainedStep } from '../plan/explain.ts';
import { describe } from './config.ts';
import type { ContainerOptions } from './options.ts';

/** Every system call that makes a container, in order, and why it is there. */
export interface Explanation {
  readonly steps: readonly ExplainedStep[];
  /** The same for people. */
  readonly text: string;
}

/** The plan of run() with these options. Nothing is run and nothing is made. @throws DelosError as run() does */
export function explain(options: ContainerOptions): Explanation {
  const { prepared } = describe(options, false);
  const plan = planContainer(prepared.config, prepared.facts, prepared.request);
  return { steps: explainJson(plan), text: explainText(plan) };
}
