/* What raises which exception, with which error code and at which place. */
#include "../metal.h"

CODE(divide, "xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; div %ecx; ret");
CODE(divide_overflow, "mov $1, %ecx; mov $1, %edx; mov $1, %eax; div %ecx; ret");
CODE(undefined, "nop; ud2");
CODE(breakpoint, "nop; int3; ret");
CODE(far_selector, "mov %edi, %ds; ret");
CODE(stack_selector, "mov %edi, %ss; ret");
CODE(software, "int $0x40; ret");
CODE(load_at, "mov (%rdi), %rax; ret");
CODE(push_at, "mov %rsp, %rdx; mov %rdi, %rsp; push %rax; mov %rdx, %rsp; ret");
CODE(jump_to, "jmp *%rdi");
CODE(too_long, ".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66; nop; ret");
CODE(lock_register, ".byte 0xf0, 0x01, 0xc8; ret");
CODE(lock_load, ".byte 0xf0, 0x8b, 0x07; ret");
CODE(no_mmx, "mov %cr0, %rax; or $4, %rax; mov %rax, %cr0; paddb %mm0, %mm0; ret");
CODE(task_switched, "mov %cr0, %rax; or $8, %rax; mov %rax, %cr0; fnop; ret");
CODE(wide_exchange, "cmpxchg16b (%rdi); ret");
CODE(user_halt, "hlt" END);
CODE(user_out, "mov $0x80, %edx; out %al, %dx" END);
CODE(user_cli, "cli" END);
CODE(user_software, "int $0x40" END);
CODE(user_breakpoint, "int3" END);
CODE(user_end, "nop" END);

TOPIC(exceptions, "exceptions")
{
	TRY("divide by 0", divide, 0, 0);
	TRY("quotient too large", divide_overflow, 0, 0);
	TRY("UD2", undefined, 0, 0);
	TRY("INT3", breakpoint, 0, 0);
	TRY("INT 40h", software, 0, 0);
	TRY("DS behind the table", far_selector, 0x1000, 0);
	TRY("DS in no LDT", far_selector, 0x1004, 0);
	TRY("DS of a task", far_selector, TASK, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xc013);
	TRY("DS that is not present", far_selector, SCRATCH, 0);
	TRY("SS that is not present", stack_selector, SCRATCH, 0);
	TRY("SS null of level 3", stack_selector, 3, 0);
	TRY("SS null of level 0", stack_selector, 0, 0);
	TRY("load that is not canonical", load_at, 0x800000000000, 0);
	TRY("push that is not canonical", push_at, 0x800000000008, 0);
	TRY("jump that is not canonical", jump_to, 0x800000000000, 0);
	TRY("16 bytes", too_long, 0, 0);
	TRY("LOCK of a register", lock_register, 0, 0);
	TRY("LOCK of a load", lock_load, 0, 0);
	TRY("MMX with EM", no_mmx, 0, 0);
	reset_processor();
	TRY("x87 with TS", task_switched, 0, 0);
	reset_processor();
	static u64 pair[4] __attribute__((aligned(16)));
	TRY("CMPXCHG16B", wide_exchange, (word)pair, 0);
	TRY("CMPXCHG16B across 16 bytes", wide_exchange, (word)pair + 8, 0);
}

TOPIC(user_level, "user")
{
	TRY_USER("nothing", user_end, 0, 0);
	say("cs %x ss %x flags %x", last.cs, last.ss, last.flags);
	TRY_USER("HLT", user_halt, 0, 0);
	TRY_USER("OUT", user_out, 0, 0);
	TRY_USER("CLI", user_cli, 0, 0);
	user_flags = 0x3002;
	TRY_USER("OUT with IOPL 3", user_out, 0, 0);
	TRY_USER("CLI with IOPL 3", user_cli, 0, 0);
	user_flags = 2;
	TRY_USER("INT 40h by a gate of level 0", user_software, 0, 0);
	TRY_USER("INT3 by a gate of level 3", user_breakpoint, 0, 0);
}
