/* What control registers, machine state and the like refuse. */
#include "../metal.h"

CODE(to_cr0, "mov %rdi, %cr0; ret");
CODE(to_cr3, "mov %rdi, %cr3; ret");
CODE(to_cr4, "mov %rdi, %cr4; ret");
CODE(to_cr8, "mov %rdi, %cr8; mov %cr8, %rax; ret");
CODE(to_msr, "mov %edi, %ecx; mov %esi, %eax; shr $32, %rsi; mov %esi, %edx; wrmsr; ret");
CODE(from_msr, "mov %edi, %ecx; rdmsr; ret");
CODE(no_cr1, ".byte 0x0f, 0x20, 0xc8; ret");
CODE(read_counter, "mov $0x100, %ecx; rdpmc; ret");
CODE(lower, "lmsw %di; ret");
CODE(set_xcr, "mov %edi, %ecx; mov %esi, %eax; xor %edx, %edx; xsetbv; ret");
CODE(user_cr, "mov %cr0, %rax" END);
CODE(user_msr, "mov $0xc0000080, %ecx; rdmsr" END);
CODE(user_tsc, "rdtsc" END);
CODE(user_smsw, "smsw %ax" END);
CODE(user_sgdt, "sgdt -64(%rsp)" END);
CODE(user_sldt, "sldt %ax" END);
CODE(user_str, "str %ax" END);
CODE(user_lgdt, "lgdt -64(%rsp)" END);
CODE(user_ltr, "mov $0x38, %eax; ltr %ax" END);
CODE(user_clts, "clts" END);
CODE(user_wbinvd, "wbinvd" END);
CODE(user_swapgs, "swapgs" END);

TOPIC(control, "control")
{
	TRY("CR0 with bit 6", to_cr0, read_cr0() | 1 << 6, 0);
	say("CR0 reads %x", read_cr0());
	TRY("CR1", no_cr1, 0, 0);
	TRY("CR8 of 15", to_cr8, 15, 0);
	TRY("CR8 of 16", to_cr8, 16, 0);
	TRY("CR8 of 0", to_cr8, 0, 0);
	TRY("LMSW without PE", lower, 0xa, 0);
	say("CR0 reads %x", read_cr0() & 0xffff);
	reset_processor();
	TRY("XSETBV without OSXSAVE", set_xcr, 0, 1);
	if (offered("XSAVE", 1, 2, 26)) {
		write_cr4(read_cr4() | 1 << 18);
		TRY("XCR0 of 1", set_xcr, 0, 1);
		TRY("XCR0 of 3", set_xcr, 0, 3);
		TRY("XCR0 of 2", set_xcr, 0, 2);
		TRY("XCR0 of 5", set_xcr, 0, 5);
		TRY("XCR1", set_xcr, 1, 1);
		TRY("XCR0 of 1", set_xcr, 0, 1);
		reset_processor();
	}
	TRY("RDPMC of none", read_counter, 0, 0);
	TRY_USER("CR0 by a user", user_cr, 0, 0);
	TRY_USER("RDMSR by a user", user_msr, 0, 0);
	TRY_USER("LGDT by a user", user_lgdt, 0, 0);
	TRY_USER("LTR by a user", user_ltr, 0, 0);
	TRY_USER("CLTS by a user", user_clts, 0, 0);
	TRY_USER("WBINVD by a user", user_wbinvd, 0, 0);
	TRY_USER("SWAPGS by a user", user_swapgs, 0, 0);
	TRY_USER("RDTSC by a user", user_tsc, 0, 0);
	write_cr4(read_cr4() | CR4_TSD);
	TRY_USER("RDTSC by a user with TSD", user_tsc, 0, 0);
	reset_processor();
	TRY_USER("SMSW by a user", user_smsw, 0, 0);
	TRY_USER("SGDT by a user", user_sgdt, 0, 0);
	TRY_USER("SLDT by a user", user_sldt, 0, 0);
	TRY_USER("STR by a user", user_str, 0, 0);
	if (!offered("UMIP", 7, 2, 2)) return;
	write_cr4(read_cr4() | CR4_UMIP);
	TRY_USER("SMSW by a user with UMIP", user_smsw, 0, 0);
	TRY_USER("SGDT by a user with UMIP", user_sgdt, 0, 0);
	TRY_USER("SLDT by a user with UMIP", user_sldt, 0, 0);
	TRY_USER("STR by a user with UMIP", user_str, 0, 0);
}

/* Whatever takes these goes on in another mode, or nowhere. */
LAST_TOPIC(modes, "mode-registers")
{
	TRY("CR0 without PE", to_cr0, read_cr0() & ~CR0_PE, 0);
	TRY("CR0 without PG in 64-bit code", to_cr0, read_cr0() & ~CR0_PG, 0);
	TRY("CR0 with NW and without CD", to_cr0, read_cr0() | 1 << 29, 0);
	TRY("CR0 with bit 32", to_cr0, read_cr0() | 1ul << 32, 0);
	TRY("CR3 that keeps without PCIDE", to_cr3, read_cr3() | 1ul << 63, 0);
	TRY("CR3 with bit 51", to_cr3, read_cr3() | 1ul << 51, 0);
	TRY("CR4 without PAE", to_cr4, read_cr4() & ~CR4_PAE, 0);
	TRY("CR4 with bit 15", to_cr4, read_cr4() | 1 << 15, 0);
	TRY("CR4 with bit 32", to_cr4, read_cr4() | 1ul << 32, 0);
	TRY("EFER without LME", to_msr, EFER, rdmsr(EFER) & ~(u64)EFER_LME);
}

TOPIC(model_specific, "msr")
{
	TRY("read of one that is none", from_msr, 0x12345678, 0);
	TRY("write of one that is none", to_msr, 0x12345678, 0);
	TRY("EFER with bit 1", to_msr, EFER, rdmsr(EFER) | 2);
	TRY("EFER without LMA", to_msr, EFER, rdmsr(EFER) & ~(u64)EFER_LMA);
	say("EFER reads %x", rdmsr(EFER));
	TRY("LSTAR that is no address", to_msr, LSTAR, 0x800000000000);
	TRY("FS base that is no address", to_msr, FS_BASE, 0x800000000000);
	TRY("GS base of the kernel that is no address", to_msr, KERNEL_GS_BASE, 0x800000000000);
	TRY("SYSENTER_EIP that is no address", to_msr, SYSENTER_EIP, 0x800000000000);
	TRY("FS base", to_msr, FS_BASE, 0x7fffffff1234);
	say("FS base reads %x", rdmsr(FS_BASE));
	TRY("FS base again", to_msr, FS_BASE, 0);
	TRY("PAT of 2", to_msr, 0x277, 0x0007040600070402);
	TRY("PAT as it was", to_msr, 0x277, 0x0007040600070406);
	TRY("TSC_AUX", to_msr, 0xc0000103, 0x12345678);
	say("TSC_AUX reads %x", rdmsr(0xc0000103));
}
