import { readFileSync } from 'node:fs';
import path from 'node:path';
import { softwareCpuid } from '../../cpu/cpuid.ts';
import { APIC_TIMER_HERTZ } from '../../device/apic-timer.ts';
import { chooseEngine, engineNames, type Choice, type EngineName } from '../../engine/choose.ts';
import { createInterpreter } from '../../engine/interpreter.ts';
import { kvm, kvmWithControllers } from '../../engine/kvm.ts';
import { probeKvm } from '../../engine/probe.ts';
import { DelosError } from '../../lib/errors.ts';
import { stealthyCpuid, type Cpuid } from '../../machine/stealth.ts';
import { buildFolder } from '../../sys/build-folder.ts';

/** What `--irqchip` may be: whose the interrupt controllers are, with the 8254, when the engine is KVM. */
export const irqchips = ['own', 'kernel'] as const;

/** The engine of `--engine` with the controllers of `--irqchip`. @throws DelosError `bad-usage` for a name that is none, `unsupported` for one that can't run here */
export function engineOf(name: string, irqchip = 'own'): Choice {
  if (!(engineNames as readonly string[]).includes(name)) throw new DelosError('bad-usage', `--engine: there is no engine ${name}, only ${engineNames.join(', ')}`);
  if (!(irqchips as readonly string[]).includes(irqchip)) throw new DelosError('bad-usage', `--irqchip: ${irqchip} is none of ${irqchips.join(', ')}`);
  const interpreter = createInterpreter(new Uint8Array(readFileSync(path.join(buildFolder(), 'float.wasm'))));
  return chooseEngine(name as EngineName, { kvm: irqchip === 'kernel' ? kvmWithControllers : kvm, interpreter }, probeKvm);
}

/** What a machine's CPUID says: the software processor's, with the hypervisor bit or without. */
export function cpuidOf(stealth: boolean): Cpuid {
  const cpuid = softwareCpuid({ cpus: 1, apicId: 0, timestampHz: 1e9, timerHz: APIC_TIMER_HERTZ, hypervisor: !stealth });
  return stealth ? stealthyCpuid(cpuid) : cpuid;
}
