import { DelosError } from '../lib/errors.ts';
import type { Engine } from './engine.ts';
import type { KvmProbe } from './probe.ts';

/** What `--engine` may be. */
export const engineNames = ['auto', 'kvm', 'interpreter'] as const;
export type EngineName = (typeof engineNames)[number];

export type Engines = Readonly<Record<Engine['name'], Engine>>;

export interface Choice {
  readonly engine: Engine;
  /** One sentence for a person. */
  readonly why: string;
}

/** What `auto` takes, and why. */
export function automaticChoice({ useful, sentence }: Pick<KvmProbe, 'useful' | 'sentence'>): { readonly name: Engine['name']; readonly why: string } {
  const name = useful ? 'kvm' : 'interpreter';
  return { name, why: `${name}: ${sentence}` };
}

/**
 * The engine for a machine: KVM where it runs a guest's kernel on the processor, else the interpreter; or the one that is asked for.
 * @param probe called only when its answer counts
 * @throws DelosError `unsupported` when the one that is asked for can't run here
 */
export function chooseEngine(wanted: EngineName, engines: Engines, probe: () => Pick<KvmProbe, 'useful' | 'sentence'>): Choice {
  if (wanted === 'auto') {
    const { name, why } = automaticChoice(probe());
    return { engine: engines[name], why };
  }
  const engine = engines[wanted];
  const available = engine.available();
  if (available !== true) throw new DelosError('unsupported', `the engine ${wanted} can't be used: ${available}`);
  return { engine, why: `${wanted}: asked for` };
}
