/** What a host's processor and kernel have for virtual machines, read off what Linux says about them. */

export interface HostText {
  /** Of /proc/cpuinfo; the first processor is enough. */
  readonly cpuinfo: string;
  /** Names of /sys/module. */
  readonly modules: readonly string[];
  /** A file of /sys/module/MODULE/parameters; undefined when it is not there. */
  parameter(module: string, name: string): string | undefined;
}

export interface HardwareVirtualization {
  /** Intel's or AMD's; undefined when neither is offered. */
  readonly extension: 'VT-x' | 'AMD-V' | undefined;
  /** What translates guest-physical addresses; undefined: shadow page tables. */
  readonly secondLevel: 'EPT' | 'NPT' | undefined;
  /** Whether a guest may have guests of its own. */
  readonly nested: boolean;
  /** Of KVM's half for this processor. */
  readonly module: string | undefined;
  /** One sentence: what is missing, and what would help. Undefined when a guest's kernel runs on the processor itself. */
  readonly missing: string | undefined;
}

const vendors = [
  { flag: 'vmx', extension: 'VT-x', module: 'kvm_intel', secondLevel: 'EPT', secondFlag: 'ept' },
  { flag: 'svm', extension: 'AMD-V', module: 'kvm_amd', secondLevel: 'NPT', secondFlag: 'npt' },
] as const;

export function hardwareVirtualization({ cpuinfo, modules, parameter }: HostText): HardwareVirtualization {
  const flags = new Set([...cpuinfo.matchAll(/^(?:vmx )?flags\s*:(.*)$/gm)].flatMap(([, list = '']) => list.trim().split(/\s+/)));
  const vendor = vendors.find(({ flag }) => flags.has(flag));
  if (vendor === undefined) {
    const other = modules.find((name) => name.startsWith('kvm_'));
    return {
      extension: undefined, secondLevel: undefined, nested: false, module: other,
      missing: flags.has('hypervisor')
        ? 'this is a guest itself, and its host does not pass vmx or svm on'
        : 'the processor offers neither vmx nor svm: it has none, or the firmware has turned it off',
    };
  }
  const { extension, module, secondLevel, secondFlag } = vendor;
  const isLoaded = modules.includes(module);
  const isOn = (name: string): boolean => /^[Y1]/.test(parameter(module, name) ?? '');
  return {
    extension, module: isLoaded ? module : undefined, nested: isLoaded && isOn('nested'),
    secondLevel: flags.has(secondFlag) && (!isLoaded || isOn(secondFlag)) ? secondLevel : undefined,
    missing: isLoaded ? undefined : `${module} is not loaded: modprobe ${module}`,
  };
}
