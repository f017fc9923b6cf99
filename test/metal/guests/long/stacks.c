/* Gates and stacks of 64-bit mode: IST, the inner stack, what is on it; gates that are not right; double faults and the end of it all. */
#include "../metal.h"

CODE(software, "int $0x41; ret");
CODE(user_software, "int $0x41" END);
CODE(divide, "xor %ecx, %ecx; mov $1, %eax; xor %edx, %edx; div %ecx; ret");
CODE(odd_stack, "mov %rsp, %rbx; sub $5, %rsp; int $0x41; mov %rbx, %rsp; ret");
CODE(flags_set, "push $0x3c97; popf; int $0x41; ret");
CODE(load_at, "mov (%rdi), %rax; ret");
CODE(on_stack, "mov %rsp, %rbx; mov %rdi, %rsp; push %rax; mov %rbx, %rsp; ret");
extern u64 pml4[512];

static word frame_at, frame_flags, flags_now;
static int look(struct trap *trap)
{
	frame_at = (word)&trap->ss + 8;
	frame_flags = trap->flags;
	asm volatile("pushf; pop %0" : "=r"(flags_now));
	return 0;
}

/* Through a gate of vector 41h. */
static void by_gate(const char *what, word target, u16 selector, u16 type, const char *code, int user)
{
	set_gate(0x41, target, selector, type);
	on_trap = look;
	frame_at = 0;
	if (user) TRY_USER(what, code, 0, 0);
	else TRY(what, code, 0, 0);
	on_trap = 0;
}

static void place(void)
{
	if (frame_at == (word)trap_stack_end) say("the trap stack");
	else if (frame_at == (word)trap_stack_end - 0x800) say("the other stack");
	else say("the same stack, %x under a multiple of 16", -frame_at & 15);
	say("flags %x, then %x, SS %x", frame_flags & ~FLAG_RF, flags_now & ~0xd5, last.ss);
}

TOPIC(stacks, "stacks")
{
	word handler = (word)vectors + 16 * 0x41;
	*(u64 *)&task[11] = (word)trap_stack_end - 0x800;
	by_gate("interrupt gate", handler, CODE64, 0x8e00, software, 0), place();
	by_gate("trap gate", handler, CODE64, 0x8f00, software, 0), place();
	by_gate("with a stack that is not aligned", handler, CODE64, 0x8e00, odd_stack, 0), place();
	by_gate("with flags", handler, CODE64, 0x8e00, flags_set, 0), place();
	by_gate("with IST 2", handler, CODE64, 0x8e02, software, 0), place();
	by_gate("by a user", handler, CODE64, 0xee00, user_software, 1), place();
	by_gate("by a user with IST 2", handler, CODE64, 0xee02, user_software, 1), place();
	by_gate("by a user, of level 2", handler, CODE64, 0xce00, user_software, 1);
	by_gate("not present", handler, CODE64, 0x0e00, software, 0);
	by_gate("of 286", handler, CODE64, 0x8600, software, 0);
	by_gate("task gate", handler, CODE64, 0x8500, software, 0);
	by_gate("call gate", handler, CODE64, 0x8c00, software, 0);
	by_gate("null selector", handler, 0, 0x8e00, software, 0);
	by_gate("a data segment", handler, DATA, 0x8e00, software, 0);
	by_gate("32-bit code", handler, CODE32, 0x8e00, software, 0);
	by_gate("a user's code", handler, USER_CODE64 & ~3, 0x8e00, software, 0);
	by_gate("behind the table", handler, 0x800, 0x8e00, software, 0);
	by_gate("an address that is none", 0x800000000000, CODE64, 0x8e00, software, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xa01b);
	by_gate("code that is not present", handler, SCRATCH, 0x8e00, software, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xa0ff);
	by_gate("conforming code of level 3", handler, SCRATCH, 0x8e00, software, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xa09f);
	by_gate("conforming code of level 0", handler, SCRATCH, 0x8e00, software, 0);
	say("CS %x", last.cs);
	/* Each of the seven. */
	for (int number = 1; number < 8; number++) {
		*(u64 *)&task[7 + 2 * number] = (word)trap_stack_end - 0x100 * number;
		set_gate(0x41, handler, CODE64, 0x8e00 | number);
		on_trap = look, attempt(software, 0, 0), on_trap = 0;
		say("IST %d is at %x", (word)number, (word)trap_stack_end - frame_at);
	}
}

TOPIC(double_fault, "double-fault")
{
	set_gate(DE, (word)vectors, DATA, 0x8e00);
	TRY("#GP on the way to #DE", divide, 0, 0);
	set_gate(DE, (word)vectors, CODE64, 0x0e00);
	TRY("#NP on the way to #DE", divide, 0, 0);
	set_gate(DE, 0x800000000000, CODE64, 0x8e00);
	TRY("#DE to an address that is none", divide, 0, 0);
	reset_processor();
	set_gate(PF, (word)vectors + 16 * PF, DATA, 0x8e01);
	TRY("#GP on the way to #PF", load_at, 0x8000000000, 0);
	reset_processor();
	set_gate(PF, (word)vectors + 16 * PF, CODE64, 0x8e00);
	TRY("#PF on the way to #PF", on_stack, 0x8000000800, 0);
	reset_processor();
	set_gate(UD, (word)vectors + 16 * UD, DATA, 0x8e00);
	TRY("#GP on the way to #UD", "\x0f\x0b", 0, 0);
	set_gate(UD, (word)vectors + 16 * UD, CODE64, 0x0e00);
	TRY("#NP on the way to #UD", "\x0f\x0b", 0, 0);
	reset_processor();
	set_gate(GP, (word)vectors + 16 * GP, CODE64, 0x0e00);
	TRY("#NP on the way to #GP", load_at, 0x800000000000, 0);
}

LAST_TOPIC(shutdown, "shutdown")
{
	static const struct { u16 limit; u64 base; } __attribute__((packed)) empty = { 0, 0 };
	say("without a table");
	asm volatile("lidt %0; ud2" :: "m"(empty));
}
