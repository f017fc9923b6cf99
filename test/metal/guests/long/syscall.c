/* SYSCALL, SYSRET, SYSENTER, SYSEXIT, SWAPGS, and the bases of FS and GS. */
#include "../metal.h"

/* A kernel's end of each: what it finds goes to `found`, and back or to the end. */
u64 found[8];
CODE(entry, "mov %rcx, found; mov %r11, found + 8; mov %ss, %ax; mov %rax, found + 16; mov %cs, %ax; mov %rax, found + 24; pushf; pop found + 32;"
	"mov %rdx, %rcx; mov %r10, %r11; sysretq");
CODE(entry_to_32, "mov %rdx, %rcx; mov $2, %r11d; sysretl");
CODE(user_syscall, "mov %ss, %bp; xor %eax, %eax; lea 1f(%rip), %rdx; mov $0x246, %r10d; std; stc; syscall; ud2; 1: mov %rsp, %rbx" END);
CODE(user_to_32, "lea 1f(%rip), %rdx; syscall; ud2; 1: .byte 0x40; mov %cs, %eax" END);
CODE(bad_sysret, "mov %rdi, %rcx; mov $2, %r11d; sysretq");
CODE(plain_sysret, "sysretq");
CODE(user_sysret, "sysretq" END);

TOPIC(system_calls, "syscall")
{
	wrmsr(STAR, (u64)0x20 << 48 | (u64)CODE64 << 32);
	wrmsr(LSTAR, (word)entry);
	wrmsr(SFMASK, 0x400 | FLAG_TF | FLAG_IF);
	TRY_USER("without SCE", user_syscall, 0, 0);
	TRY("SYSRET without SCE", plain_sysret, 0, 0);
	wrmsr(EFER, rdmsr(EFER) | EFER_SCE);
	TRY_USER("there and back", user_syscall, 0, 0);
	say("RCX +%d, R11 %x, CS %x, SS %x, flags %x", found[0] - (word)user_syscall - USER, found[1], found[3] & 0xffff, found[2] & 0xffff, found[4]);
	say("back: CS %x SS %x flags %x, stack kept %d", last.cs, last.ss, last.flags, (word)(last.bx == (word)user_stack_end + USER));
	wrmsr(LSTAR, (word)entry_to_32);
	TRY_USER("back to 32 bits", user_to_32, 0, 0);
	say("CS %x SS %x ax %x", last.cs, last.ss, last.ax & 0xffff);
	TRY("back to an address that is none", bad_sysret, 0x800000000000, 0);
	TRY_USER("SYSRET by a user", user_sysret, 0, 0);
	wrmsr(SFMASK, 0);
}

CODE(fast_entry, "mov %rsp, found; mov %cs, %ax; mov %rax, found + 8; mov %ss, %ax; mov %rax, found + 16; pushf; pop found + 24; mov %r8, %rdx;"
	"mov %r9, %rcx; sysexitq");
CODE(fast_entry_to_32, "mov %r8, %rdx; mov %r9, %rcx; sysexitl");
CODE(user_sysenter, "lea 1f(%rip), %r8; mov %rsp, %r9; sysenter; ud2; 1: mov %rsp, %rbx" END);
CODE(user_sysexit, "sysexitl" END);
CODE(plain_sysexit, "sysexitq");
CODE(bad_sysexit, "mov %rdi, %rdx; mov $0x1000, %ecx; sysexitq");

TOPIC(fast_calls, "sysenter")
{
	wrmsr(SYSENTER_CS, 0);
	wrmsr(SYSENTER_EIP, (word)fast_entry), wrmsr(SYSENTER_ESP, (word)trap_stack_end - 64);
	TRY_USER("without a CS", user_sysenter, 0, 0);
	TRY("SYSEXIT without a CS", plain_sysexit, 0, 0);
	wrmsr(SYSENTER_CS, CODE64);
	user_flags = 0x3202;
	TRY_USER("there and back", user_sysenter, 0, 0);
	say("stack %d, CS %x, SS %x, flags %x", (word)(found[0] == (word)trap_stack_end - 64), found[1] & 0xffff, found[2] & 0xffff, found[3]);
	say("back: CS %x SS %x flags %x, stack kept %d", last.cs, last.ss, last.flags, (word)(last.bx == (word)user_stack_end + USER));
	wrmsr(SYSENTER_EIP, (word)fast_entry_to_32);
	TRY_USER("back to 32 bits", user_sysenter, 0, 0);
	say("CS %x SS %x", last.cs, last.ss);
	TRY_USER("SYSEXIT by a user", user_sysexit, 0, 0);
	TRY("SYSEXIT to an address that is none", bad_sysexit, 0x800000000000, 0);
}

CODE(swap, "swapgs; mov %gs:0, %rax; mov %rax, found; swapgs; mov %gs:0, %rax; mov %rax, found + 8; ret");
CODE(write_fs, "wrfsbase %rdi; rdfsbase %rax; mov %rax, found; ret");
CODE(user_gs, "wrgsbase %rdi; rdgsbase %rax" END);

TOPIC(swapping, "swapgs")
{
	static word here = 0x11, there = 0x22;
	wrmsr(GS_BASE, (word)&here), wrmsr(KERNEL_GS_BASE, (word)&there);
	TRY("both ways", swap, 0, 0);
	say("%x %x", found[0], found[1]);
	TRY("WRFSBASE without FSGSBASE", write_fs, 0, 0);
	if (!offered("FSGSBASE", 7, 1, 0)) return;
	write_cr4(read_cr4() | CR4_FSGSBASE);
	TRY("WRFSBASE", write_fs, 0x123456789a, 0);
	say("%x, %x", found[0], rdmsr(FS_BASE));
	TRY("WRFSBASE that is no address", write_fs, 0x800000000000, 0);
	TRY_USER("WRGSBASE by a user", user_gs, 0x123456, 0);
	say("%x", last.ax);
	wrmsr(FS_BASE, 0), wrmsr(GS_BASE, 0);
}
