/** <linux/kvm.h> and <asm/kvm.h>: what a virtual machine monitor on x86-64 says to the kernel. Documentation/virt/kvm/api.rst. */
import { struct, type FieldType, type Member } from '../lib/layout.ts';

/** The only version there has ever been; another is to be refused. */
export const KVM_API_VERSION = 12;

/** System calls of /dev/kvm. */
export const KVM_GET_API_VERSION = 0xae00;
export const KVM_CREATE_VM = 0xae01;
export const KVM_GET_MSR_INDEX_LIST = 0xc004ae02;
export const KVM_CHECK_EXTENSION = 0xae03;
export const KVM_GET_VCPU_MMAP_SIZE = 0xae04;
export const KVM_GET_SUPPORTED_CPUID = 0xc008ae05;

/** Of a virtual machine. */
export const KVM_CREATE_VCPU = 0xae41;
export const KVM_GET_DIRTY_LOG = 0x4010ae42;
export const KVM_SET_USER_MEMORY_REGION = 0x4020ae46;
export const KVM_SET_TSS_ADDR = 0xae47;
export const KVM_SET_IDENTITY_MAP_ADDR = 0x4008ae48;
export const KVM_CREATE_IRQCHIP = 0xae60;
export const KVM_IRQ_LINE = 0x4008ae61;
export const KVM_GET_IRQCHIP = 0xc208ae62;
export const KVM_SET_IRQCHIP = 0x8208ae63;
export const KVM_SET_GSI_ROUTING = 0x4008ae6a;
export const KVM_CREATE_PIT2 = 0x4040ae77;
export const KVM_GET_PIT2 = 0x8070ae9f;
export const KVM_SET_PIT2 = 0x4070aea0;
export const KVM_ENABLE_CAP = 0x4068aea3;

/** Of a virtual processor. */
export const KVM_RUN = 0xae80;
export const KVM_GET_REGS = 0x8090ae81;
export const KVM_SET_REGS = 0x4090ae82;
export const KVM_GET_SREGS = 0x8138ae83;
export const KVM_SET_SREGS = 0x4138ae84;
export const KVM_INTERRUPT = 0x4004ae86;
export const KVM_GET_MSRS = 0xc008ae88;
export const KVM_SET_MSRS = 0x4008ae89;
export const KVM_SET_SIGNAL_MASK = 0x4004ae8b;
export const KVM_GET_FPU = 0x81a0ae8c;
export const KVM_SET_FPU = 0x41a0ae8d;
export const KVM_GET_LAPIC = 0x8400ae8e;
export const KVM_SET_LAPIC = 0x4400ae8f;
export const KVM_SET_CPUID2 = 0x4008ae90;
export const KVM_GET_MP_STATE = 0x8004ae98;
export const KVM_SET_MP_STATE = 0x4004ae99;
export const KVM_NMI = 0xae9a;
export const KVM_SET_GUEST_DEBUG = 0x4048ae9b;
export const KVM_GET_VCPU_EVENTS = 0x8040ae9f;
export const KVM_SET_VCPU_EVENTS = 0x4040aea0;
export const KVM_GET_DEBUGREGS = 0x8080aea1;
export const KVM_SET_DEBUGREGS = 0x4080aea2;
export const KVM_GET_TSC_KHZ = 0xaea3;
export const KVM_GET_XSAVE = 0x9000aea4;
export const KVM_SET_XSAVE = 0x5000aea5;
export const KVM_GET_XCRS = 0x8188aea6;
export const KVM_SET_XCRS = 0x4188aea7;
export const KVM_GET_STATS_FD = 0xaece;

/** What a kernel may be able to do, for KVM_CHECK_EXTENSION. */
export const KVM_CAP_IRQCHIP = 0;
export const KVM_CAP_USER_MEMORY = 3;
export const KVM_CAP_EXT_CPUID = 7;
export const KVM_CAP_NR_VCPUS = 9;
export const KVM_CAP_NR_MEMSLOTS = 10;
export const KVM_CAP_MP_STATE = 14;
export const KVM_CAP_SET_GUEST_DEBUG = 23;
export const KVM_CAP_PIT2 = 33;
export const KVM_CAP_VCPU_EVENTS = 41;
export const KVM_CAP_DEBUGREGS = 50;
export const KVM_CAP_XSAVE = 55;
export const KVM_CAP_XCRS = 56;
export const KVM_CAP_MAX_VCPUS = 66;
export const KVM_CAP_TSC_DEADLINE_TIMER = 72;
export const KVM_CAP_READONLY_MEM = 81;
export const KVM_CAP_IMMEDIATE_EXIT = 136;
export const KVM_CAP_X86_USER_SPACE_MSR = 188;

/** For KVM_CAP_X86_USER_SPACE_MSR: which accesses leave the guest. */
export const KVM_MSR_EXIT_REASON_INVAL = 1;
export const KVM_MSR_EXIT_REASON_UNKNOWN = 2;

export const KVM_MEM_LOG_DIRTY_PAGES = 1;
export const KVM_MEM_READONLY = 2;

export const KVM_EXIT_UNKNOWN = 0;
export const KVM_EXIT_EXCEPTION = 1;
export const KVM_EXIT_IO = 2;
export const KVM_EXIT_HYPERCALL = 3;
export const KVM_EXIT_DEBUG = 4;
export const KVM_EXIT_HLT = 5;
export const KVM_EXIT_MMIO = 6;
export const KVM_EXIT_IRQ_WINDOW_OPEN = 7;
export const KVM_EXIT_SHUTDOWN = 8;
export const KVM_EXIT_FAIL_ENTRY = 9;
export const KVM_EXIT_INTR = 10;
export const KVM_EXIT_SET_TPR = 11;
export const KVM_EXIT_NMI = 16;
export const KVM_EXIT_INTERNAL_ERROR = 17;
export const KVM_EXIT_SYSTEM_EVENT = 24;
export const KVM_EXIT_X86_RDMSR = 29;
export const KVM_EXIT_X86_WRMSR = 30;

export const KVM_EXIT_IO_IN = 0;
export const KVM_EXIT_IO_OUT = 1;

export const KVM_INTERNAL_ERROR_EMULATION = 1;
export const KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

export const KVM_SYSTEM_EVENT_SHUTDOWN = 1;
export const KVM_SYSTEM_EVENT_RESET = 2;
export const KVM_SYSTEM_EVENT_CRASH = 3;

export const KVM_GUESTDBG_ENABLE = 1;
export const KVM_GUESTDBG_SINGLESTEP = 2;
export const KVM_GUESTDBG_USE_SW_BP = 0x10000;
export const KVM_GUESTDBG_USE_HW_BP = 0x20000;

export const KVM_MP_STATE_RUNNABLE = 0;
export const KVM_MP_STATE_UNINITIALIZED = 1;
export const KVM_MP_STATE_INIT_RECEIVED = 2;
export const KVM_MP_STATE_HALTED = 3;

export const KVM_VCPUEVENT_VALID_NMI_PENDING = 1;
export const KVM_VCPUEVENT_VALID_SIPI_VECTOR = 2;
export const KVM_VCPUEVENT_VALID_SHADOW = 4;
export const KVM_X86_SHADOW_INT_MOV_SS = 1;
export const KVM_X86_SHADOW_INT_STI = 2;

export const KVM_IRQCHIP_PIC_MASTER = 0;
export const KVM_IRQCHIP_PIC_SLAVE = 1;
export const KVM_IRQCHIP_IOAPIC = 2;

export const KVM_IRQ_ROUTING_IRQCHIP = 1;
export const KVM_PIT_SPEAKER_DUMMY = 1;
export const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

export const kvm_userspace_memory_region = struct('kvm_userspace_memory_region', {
  slot: 'u32', flags: 'u32', guest_phys_addr: 'u64', memory_size: 'u64', userspace_addr: 'u64',
});

/** rsp stands before rbp, and both behind rsi and rdi. */
export const kvm_regs = struct('kvm_regs', {
  rax: 'u64', rbx: 'u64', rcx: 'u64', rdx: 'u64', rsi: 'u64', rdi: 'u64', rsp: 'u64', rbp: 'u64',
  r8: 'u64', r9: 'u64', r10: 'u64', r11: 'u64', r12: 'u64', r13: 'u64', r14: 'u64', r15: 'u64', rip: 'u64', rflags: 'u64',
});

const segmentNames = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldt'] as const;
const segmentParts = {
  ...{ base: 'u64', limit: 'u32', selector: 'u16', type: 'u8', present: 'u8', dpl: 'u8', db: 'u8', s: 'u8', l: 'u8', g: 'u8', avl: 'u8' },
  ...{ unusable: 'u8', padding: 'u8' },
} as const;
type SregsSegment = `${(typeof segmentNames)[number]}.${keyof typeof segmentParts}`;

const sregsSegments = Object.fromEntries(segmentNames.flatMap((name) => {
  return Object.entries(segmentParts).map(([part, type]) => [`${name}.${part}`, type]);
})) as Record<SregsSegment, FieldType>;
export const kvm_sregs = struct('kvm_sregs', {
  ...sregsSegments,
  'gdt.base': 'u64', 'gdt.limit': 'u16', 'gdt.padding': ['u16', 3], 'idt.base': 'u64', 'idt.limit': 'u16', 'idt.padding': ['u16', 3],
  cr0: 'u64', cr2: 'u64', cr3: 'u64', cr4: 'u64', cr8: 'u64', efer: 'u64', apic_base: 'u64',
  interrupt_bitmap: ['u64', 4],
});

/** struct kvm_xsave: the image that XSAVE writes, not compacted; sizes in bytes. */
export const xsaveSize = 4096;

export const kvm_debugregs = struct('kvm_debugregs', {
  db: ['u64', 4], dr6: 'u64', dr7: 'u64', flags: 'u64', reserved: ['u64', 9],
});

export const kvm_vcpu_events = struct('kvm_vcpu_events', {
  'exception.injected': 'u8', 'exception.nr': 'u8', 'exception.has_error_code': 'u8', 'exception.pending': 'u8', 'exception.error_code': 'u32',
  'interrupt.injected': 'u8', 'interrupt.nr': 'u8', 'interrupt.soft': 'u8', 'interrupt.shadow': 'u8',
  'nmi.injected': 'u8', 'nmi.pending': 'u8', 'nmi.masked': 'u8', 'nmi.pad': 'u8',
  sipi_vector: 'u32', flags: 'u32',
  'smi.smm': 'u8', 'smi.pending': 'u8', 'smi.smm_inside_nmi': 'u8', 'smi.latched_init': 'u8',
  'triple_fault.pending': 'u8', reserved: ['u8', 26], exception_has_payload: 'u8', exception_payload: 'u64',
});

export const kvm_mp_state = struct('kvm_mp_state', { mp_state: 'u32' });
export const kvm_interrupt = struct('kvm_interrupt', { irq: 'u32' });
export const kvm_irq_level = struct('kvm_irq_level', { irq: 'u32', level: 'u32' });
export const kvm_irqchip = struct('kvm_irqchip', { chip_id: 'u32', pad: 'u32', chip: ['u8', 512] });
export const kvm_lapic_state = struct('kvm_lapic_state', { regs: ['u8', 0x400] });
export const kvm_pit_state2 = struct('kvm_pit_state2', { channels: ['u64', 9], flags: 'u32', reserved: ['u32', 9] });
/** The entries follow. */
export const kvm_irq_routing = struct('kvm_irq_routing', { nr: 'u32', flags: 'u32' });
export const kvm_irq_routing_entry = struct('kvm_irq_routing_entry', {
  gsi: 'u32', type: 'u32', flags: 'u32', pad: 'u32', 'u.irqchip.irqchip': 'u32', 'u.irqchip.pin': 'u32', padding: ['u32', 6],
});
/** Of what KVM counts: a head, and for each count what it is, with its name behind it. */
export const kvm_stats_header = struct('kvm_stats_header', {
  flags: 'u32', name_size: 'u32', num_desc: 'u32', id_offset: 'u32', desc_offset: 'u32', data_offset: 'u32',
});
export const kvm_stats_desc = struct('kvm_stats_desc', { flags: 'u32', exponent: 'u16', size: 'u16', offset: 'u32', bucket_size: 'u32' });
export const kvm_dirty_log = struct('kvm_dirty_log', { slot: 'u32', padding1: 'u32', dirty_bitmap: 'u64' });
export const kvm_pit_config = struct('kvm_pit_config', { flags: 'u32', pad: ['u32', 15] });
export const kvm_guest_debug = struct('kvm_guest_debug', { control: 'u32', pad: 'u32', 'arch.debugreg': ['u64', 8] });
export const kvm_enable_cap = struct('kvm_enable_cap', { cap: 'u32', flags: 'u32', args: ['u64', 4], pad: ['u8', 64] });

/** Heads of tables; the entries follow. */
export const kvm_msrs = struct('kvm_msrs', { nmsrs: 'u32', pad: 'u32' });
export const kvm_msr_entry = struct('kvm_msr_entry', { index: 'u32', reserved: 'u32', data: 'u64' });
export const kvm_cpuid2 = struct('kvm_cpuid2', { nent: 'u32', padding: 'u32' });
export const kvm_cpuid_entry2 = struct('kvm_cpuid_entry2', {
  function: 'u32', index: 'u32', flags: 'u32', eax: 'u32', ebx: 'u32', ecx: 'u32', edx: 'u32', padding: ['u32', 3],
});
/** The set of signals follows, 8 bytes. */
export const kvm_signal_mask = struct('kvm_signal_mask', { len: 'u32' });

/** Up to 16 registers, of which processors have one, and 128 bytes of padding. */
export const kvm_xcrs = struct('kvm_xcrs', { nr_xcrs: 'u32', flags: 'u32', 'xcrs[0].xcr': 'u32', 'xcrs[0].reserved': 'u32', 'xcrs[0].value': 'u64' });
export const xcrsSize = 392;

/** What every exit has, and then its own part, at the same place: the kernel's is a union. */
const head = {
  request_interrupt_window: 'u8', immediate_exit: 'u8', padding1: ['u8', 6],
  exit_reason: 'u32', ready_for_interrupt_injection: 'u8', if_flag: 'u8', flags: 'u16', cr8: 'u64', apic_base: 'u64',
} as const;

function view<const Own extends Readonly<Record<string, Member>>>(own: Own) {
  return struct('kvm_run', { ...head, ...own });
}

export const kvm_run_io = view({ 'io.direction': 'u8', 'io.size': 'u8', 'io.port': 'u16', 'io.count': 'u32', 'io.data_offset': 'u64' });
export const kvm_run_mmio = view({ 'mmio.phys_addr': 'u64', 'mmio.data': ['u8', 8], 'mmio.len': 'u32', 'mmio.is_write': 'u8' });
export const kvm_run_hw = view({ 'hw.hardware_exit_reason': 'u64' });
export const kvm_run_fail_entry = view({ 'fail_entry.hardware_entry_failure_reason': 'u64', 'fail_entry.cpu': 'u32' });
export const kvm_run_debug = view({
  'debug.arch.exception': 'u32', 'debug.arch.pad': 'u32', 'debug.arch.pc': 'u64', 'debug.arch.dr6': 'u64', 'debug.arch.dr7': 'u64',
});
export const kvm_run_internal = view({ 'internal.suberror': 'u32', 'internal.ndata': 'u32', 'internal.data': ['u64', 16] });
export const kvm_run_emulation_failure = view({
  'emulation_failure.suberror': 'u32', 'emulation_failure.ndata': 'u32', 'emulation_failure.flags': 'u64',
  'emulation_failure.insn_size': 'u8', 'emulation_failure.insn_bytes': ['u8', 15],
});
export const kvm_run_system_event = view({ 'system_event.type': 'u32', 'system_event.ndata': 'u32', 'system_event.data': ['u64', 16] });
export const kvm_run_msr = view({ 'msr.error': 'u8', 'msr.pad': ['u8', 7], 'msr.reason': 'u32', 'msr.index': 'u32', 'msr.data': 'u64' });
