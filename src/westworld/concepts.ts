/** The words of virtualization, as data: what prints them and what tests them read the same. */

export type HypervisorType = 'Type 1' | 'Type 2' | 'Hybrid';

/** Where each stands, from the hardware up. */
export const hypervisorTypes: readonly { readonly type: HypervisorType; readonly stands: string }[] = [
  { type: 'Type 1', stands: 'hardware, hypervisor, virtual machines' },
  { type: 'Type 2', stands: 'hardware, host OS, hypervisor, virtual machines' },
  { type: 'Hybrid', stands: 'hardware, Linux that is the hypervisor, QEMU or the like in user space, virtual machines' },
];

export const hypervisors: readonly { readonly name: string; readonly type: HypervisorType }[] = [
  { name: 'VMware ESXi', type: 'Type 1' },
  { name: 'Xen', type: 'Type 1' },
  { name: 'Microsoft Hyper-V', type: 'Type 1' },
  { name: 'VirtualBox', type: 'Type 2' },
  { name: 'VMware Workstation', type: 'Type 2' },
  { name: 'KVM', type: 'Hybrid' },
];

/** Monitors for KVM that are written in Rust. */
export const rustMonitors: readonly { readonly name: string; readonly runs: string }[] = [
  { name: 'Firecracker', runs: 'AWS Lambda' },
  { name: 'Cloud Hypervisor', runs: 'cloud workloads' },
  { name: 'crosvm', runs: 'Linux and Android on ChromeOS' },
];

/** From the first step to the last, and back to the second. */
export const runCycle: readonly string[] = [
  'user space prepares the machine: memory, registers',
  'ioctl(KVM_RUN)',
  'the processor runs the guest in non-root mode',
  'something sensitive: a VM exit to the hypervisor',
  'the hypervisor does what was wanted',
  'back to step 2',
];
