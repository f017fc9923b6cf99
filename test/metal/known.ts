/**
 * Where another implementation does not do what the manuals say and the logs have. Each is a limit of theirs, with the manual's place: SDM is
 * Intel's Software Developer's Manual.
 */

export interface KnownDifference {
  readonly engine: 'qemu' | 'kvm';
  readonly topic: string;
  /** Of a line behind its topic, theirs or ours. */
  readonly lines: RegExp;
  readonly why: string;
}

type Row = readonly [topic: string, lines: RegExp, why: string];

const withPresent = 'a fault by a reserved bit has P set too (SDM volume 3, 4.7: RSVD); QEMU tells RSVD alone';
const noLimits = 'TCG has no segment limits and types at accesses (SDM volume 3, 5.3 and 5.5)';
const targetFirst = 'the target is checked before the transfer, which faults itself (SDM volume 2, CALL, JMP and INT n: #GP(0) for one that is not canonical)';
const gateError = 'the error code has the number of the gate, in 64-bit mode too (SDM volume 3, 6.13); QEMU 7.2 has it doubled';
const noAlignment = 'TCG 7.2 has no alignment checks (SDM volume 3, 6.15: #AC); silicon says what is expected here';

const qemu: readonly Row[] = [
  ['user', /^INT 40h by a gate of level 0/, gateError],
  ['stacks', /: #(?:GP|NP)\((?:412|20a)\)/, gateError],
  ['exceptions', /^SS null of level 3/, 'a null SS needs an RPL that is the level (SDM volume 2, MOV)'],
  ['exceptions', /^push that is not canonical/, 'on the stack it is #SS (SDM volume 3, 6.15: #SS)'],
  ['exceptions', /^jump that is not canonical/, targetFirst],
  ['exceptions', /^LOCK of a load/, 'LOCK on what does not write memory is #UD (SDM volume 2, LOCK)'],
  ['double-fault', /^#DE to an address that is none/, targetFirst],
  ['stacks', /^an address that is none/, targetFirst],
  ['compatibility', /^a call gate to an address that is none/, targetFirst],
  ['compatibility', /^SYSCALL in 32-bit code/, 'only there in 64-bit mode (SDM volume 2, SYSCALL); AMD has it in both'],
  ['compatibility', /^beyond the limit in 32-bit code/, noLimits],
  ['compatibility', /^code of both sizes/, 'L and D together are reserved (SDM volume 2, RET: #GP)'],
  ['compatibility', /^CS 8 SS \w+, called from/, 'behind a gate SS is null with the new level as its RPL (SDM volume 2, CALL); QEMU 7.2 has any number'],
  ['compatibility', /^a call gate with a type in its upper half/, 'bits 8 to 12 of the upper half have to be 0 (SDM volume 3, 5.8.3.1)'],
  ['double-fault', /^#(?:GP|NP) on the way to #UD/, 'EXT is set for what happens in the delivery of an exception (SDM volume 3, 6.13)'],
  ['lar-lsl', /^type (?:1|3|4|5|c):/, 'in IA-32e mode types of 16 bits and task gates are not valid (SDM volume 2, LAR); of a gate bits 16 to 23 mean nothing'],
  ['reserved-bits', /^(?:bit|a large)/, withPresent],
  ['rights', /^without NXE, with NX/, withPresent],
  ['paging-32', /^bit 21 of 4 MiB/, withPresent],
  ['paging-pae', /^(?:bit|NX without NXE)/, withPresent],
  ['paging-pae', /^stored:/, 'a page-directory pointer has no accessed bit (SDM volume 3, table 4-8)'],
  ['pae-pointers', /^a pointer with a reserved bit/, 'MOV to CR3 loads the four pointers and checks them (SDM volume 3, 4.4.1)'],
  ['accessed-dirty', /^not stored by a user, level 2/, 'what is refused does not use the entry (SDM volume 3, 4.8)'],
  ['smep-smap', /^STAC without SMAP/, '#UD without CR4.SMAP (SDM volume 2, STAC)'],
  ['msr', /./, 'unknown MSRs and values that are not allowed are #GP (SDM volume 2, RDMSR and WRMSR)'],
  ['control', /^CR0 reads/, 'reserved bits of CR0 stay clear (SDM volume 3, 2.5)'],
  ['control', /^CR8 of 16/, 'reserved bits of CR8 are #GP (SDM volume 2, MOV to control registers)'],
  ['control', /XCR|XSAVE/, 'QEMU offers XSAVE and this processor does not'],
  ['control', /^RDPMC of none/, 'QEMU has no RDPMC at all; a counter that there is none of is #GP (SDM volume 2, RDPMC)'],
  ['cpuid', /^(?:RDSEED|CLFLUSHOPT|address bits)/, 'QEMU takes RDSEED that it does not offer, and has five levels of tables'],
  ['alignment', /./, noAlignment],
  ['debug-registers', /^INT1/, 'TCG has no INT1 (SDM volume 2, INT n)'],
  ['debug-registers', /^DR6 of ones/, 'bit 12 of DR6 is always clear (SDM volume 3, 17.2.3)'],
  ['debug-registers', /^(?:with GD|DR6 \w+, DR7)/, 'TCG has no general detect (SDM volume 3, 17.2.4)'],
  ['breakpoints', /^two breakpoints: DR6 ffff0ff[13] behind \+15/, 'every condition that is met is told (SDM volume 3, 17.2.3); QEMU tells the first'],
  ['pcid', /./, 'TCG has no PCID and no INVPCID'],
  ['syscall', /^back to an address that is none/, 'RCX is checked at level 0 (SDM volume 2, SYSRET); AMD checks it later'],
  ['syscall', /^RCX \+22/, 'of RFLAGS those of SFMASK alone are cleared (SDM volume 2, SYSCALL); QEMU 7.2 clears the arithmetic ones too'],
  ['sysenter', /^SYSEXIT to an address that is none/, targetFirst],
  ['swapgs', /^WRFSBASE that is no address/, 'an address that is not canonical is #GP(0) (SDM volume 2, WRFSBASE)'],
  ['call-gates', /^of level 1: #(?:SS|TS)\(40\)/, 'an inner stack segment that is not present is #SS (SDM volume 2, CALL)'],
  ['limits', /./, noLimits],
  ['segments', /^(?:null|read-only, written|code, written|CS too short)/, noLimits],
  ['tasks', /^LTR of null/, '#GP(0) (SDM volume 2, LTR)'],
  ['task-trap', /./, 'TCG does not look at the T bit of a task (SDM volume 3, 17.3.1.5)'],
  ['v86', /^beyond the limit/, noLimits],
  ['vme', /./, 'TCG 7.2 has no virtual-8086 mode extensions'],
  ['real-mode', /^limits of 64 KiB/, noLimits],
];

/** Of a KVM that interprets level 0 and runs the rest with the host's own state. */
const kvm: readonly Row[] = [
  ['user', /^(?:OUT|CLI) with IOPL 3/, 'the guest\'s IOPL is not the processor\'s there'],
  ['user', /^INT 40h by a gate/, 'software interrupts are not interpreted there'],
  ['alignment', /^without AM/, 'the host\'s CR0.AM is set'],
];

const named = (engine: KnownDifference['engine'], rows: readonly Row[]): KnownDifference[] => (
  rows.map(([topic, lines, why]) => ({ engine, topic, lines, why }))
);

export const knownDifferences: readonly KnownDifference[] = [...named('qemu', qemu), ...named('kvm', kvm)];

/** Topics that QEMU does not come through: it takes what they offer, and goes on in another mode. */
export const refusedModes = 'mode-registers';
