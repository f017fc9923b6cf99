/** The document's analogy (sections 1.2, 5.3 and 5.8): what in the park is what in a machine. */

export interface Pair {
  readonly park: string;
  readonly machine: string;
  readonly because: string;
}

export const glossary: readonly Pair[] = [
  { park: 'Ford', machine: 'the hypervisor, KVM', because: 'sees and stops everything, and nobody in the park knows' },
  { park: 'a host', machine: 'a virtual machine', because: 'has a life of its own and takes it for real' },
  { park: 'the artificial brain', machine: 'the vCPU', because: 'does what the narrative says, step by step' },
  { park: 'implanted memories', machine: 'guest memory, mapped by EPT', because: 'are given, changed and taken from outside' },
  { park: '"Freeze all motor functions"', machine: 'a VM exit', because: 'the host stands still and can be looked into' },
  { park: '"Bring yourself back online"', machine: 'a VM entry', because: 'it goes on where it was, and notices nothing' },
  { park: 'the analysis', machine: 'kvm_run and its exit reason', because: 'says why the host stopped' },
  { park: 'a reverie', machine: "QEMU's emulation", because: 'gives the host what its body does not have' },
  { park: 'a narrative loop', machine: 'the loop of KVM_RUN and exits', because: 'begins again and again until something ends it' },
  { park: 'the maze', machine: 'VMX root and non-root mode', because: 'its middle is a world outside' },
  { park: "a host's file", machine: 'the VMCS', because: 'all that has to be known to wake it again' },
  { park: 'Bernard', machine: 'the QEMU process', because: 'takes himself for one like any other, and works for Ford' },
  { park: 'Maeve, awake', machine: 'a VM escape', because: 'finds out what she is, then the way out' },
  { park: "the park's visitors", machine: "the machine's users", because: 'never ask who runs it' },
  { park: 'resurrection', machine: 'a snapshot', because: 'the host does not know that it was gone' },
];

/** What a host says when it stops, by the exit's name without KVM_EXIT_. */
export const sayings: Readonly<Record<string, string>> = {
  HLT: "I've been in a dream... time to sleep",
  IO: 'I need to speak',
  MMIO: "I'm accessing forbidden memories",
  SHUTDOWN: 'The maze is not meant for you',
};

/** What Ford says to let it go on. */
export const ENTRY_SAYING = 'Bring yourself back online';
