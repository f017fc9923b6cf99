import { automaticChoice } from '../../engine/choose.ts';
import { probeKvm } from '../../engine/probe.ts';
import type { Finding } from './checks.ts';

/** What would run a machine's processors, and how it was found out: a guest of a few bytes has run for some milliseconds. */
export function engineCheck(): Finding {
  const begun = performance.now();
  const probe = probeKvm();
  const probeMs = Math.round(10 * (performance.now() - begun)) / 10;
  const { name, why } = automaticChoice(probe);
  const version = probe.version === undefined ? '' : `; /dev/kvm has version ${probe.version}`;
  const details = { engine: name, probeMs, kvm: { ...probe, kernelRate: probe.kernelRate === undefined ? undefined : Math.round(probe.kernelRate) } };
  if (probe.useful) return { state: 'fine', found: `${why}${version}`, details };
  return { state: 'limited', found: `${why}${version}`, remedy: remedyOf(probe.version), details };
}

function remedyOf(version: number | undefined): string {
  if (version === undefined) return 'machines run on the interpreter; for KVM: modprobe kvm_intel or kvm_amd, and a user who may open /dev/kvm';
  return 'machines run on the interpreter; KVM is of use on a processor with VT-x or AMD-V, or in a virtual machine that has them too';
}
