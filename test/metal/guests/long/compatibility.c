/* 32-bit and 16-bit code within long mode, and the segments and gates that lead there. */
#include "../metal.h"

CODE(to_32, "mov %rsp, %r15; push $0x18; lea 1f(%rip), %rax; push %rax; lretq;"
	".code32; 1: mov $0xffffffff, %eax; inc %eax; mov %eax, seen_there; .byte 0x48; mov %esp, seen_there + 4; mov $1, %ecx; 2: dec %ecx; jnz 2b;"
	"mov %cs, %eax; mov %eax, seen_there + 8; ljmp $0x08, $3f; .code64; 3: mov %r15, %rsp; ret");
CODE(fault_in_32, "mov %rsp, %r15; push $0x18; lea 1f(%rip), %rax; push %rax; lretq; .code32; 1: mov (%edi), %al; ud2; .code64");
CODE(wrapping, "push $0x18; lea 1f(%rip), %rax; push %rax; lretq; .code32; 1: mov $0xfffffff0, %eax; mov 0x20(%eax), %al; ljmp $0x08, $2f; .code64; 2: ret");
CODE(syscall_in_32, "push $0x18; lea 1f(%rip), %rax; push %rax; lretq; .code32; 1: syscall; ud2; .code64");
CODE(end_here, "nop" END);
CODE(far_to, "push %rdi; lea 1f(%rip), %rax; push %rax; lretq; 1: push $8; lea 2f(%rip), %rax; push %rax; lretq; 2: ret");
CODE(jump_far, "ljmpl *(%rdi)");
CODE(call_far, "lcall *(%rdi); ret");
CODE(user_call_far, "lcall *(%rdi)" END);
CODE(inner, "mov %cs, %ax; mov %eax, seen_there; mov %ss, %ax; mov %eax, seen_there + 4; mov (%rsp), %rax; mov 8(%rsp), %rax; mov %eax, seen_there + 8;"
	"mov 24(%rsp), %rax; mov %eax, seen_there + 12; lretq");

/* With a base and a limit in compatibility mode. */
CODE(limited, "mov %edi, %eax; mov %eax, %ds; push $0x18; lea 1f(%rip), %rax; push %rax; lretq; .code32; 1: mov (%esi), %eax; mov %eax, %es:seen_there;"
	"mov $0x10, %ecx; mov %ecx, %ds; ljmp $0x08, $2f; .code64; 2: ret");
CODE(limited_64, "mov %edi, %eax; mov %eax, %ds; mov (%rsi), %eax; mov $0x10, %ecx; mov %ecx, %ds; ret");

static void call_gate(int slot, word target, u16 selector, u32 type)
{
	gdt[slot] = (target & 0xffff) | (u64)selector << 16 | (u64)type << 32 | (u64)(target >> 16 & 0xffff) << 48;
	gdt[slot + 1] = target >> 32;
}

TOPIC(compatibility, "compatibility")
{
	TRY("32-bit code", to_32, 0, 0);
	say("%x %x", seen_there[0], seen_there[2] & 0xffff);
	TRY("a fault in 32-bit code", fault_in_32, 0x50000000, 0);
	TRY("offsets wrap at 4 GiB", wrapping, 0, 0);
	/* AMD's goes there. */
	wrmsr(CSTAR, (word)end_here);
	wrmsr(EFER, rdmsr(EFER) | EFER_SCE);
	TRY("SYSCALL in 32-bit code", syscall_in_32, 0, 0);
	reset_processor();
	gdt[SCRATCH / 8] = descriptor(0x100000, 0xfff, 0x4093);
	TRY("base and limit in 32-bit code", limited, SCRATCH, 0);
	say("%x", seen_there[0]);
	TRY("beyond the limit in 32-bit code", limited, SCRATCH, 0xffd);
	TRY("beyond the limit in 64-bit code", limited_64, SCRATCH, (word)&seen_there);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xe09b);
	TRY("code of both sizes", far_to, SCRATCH, 0);
	TRY("a return to null", far_to, 0, 0);
	TRY("a return to data", far_to, DATA, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xa0fb);
	TRY("a return to an inner level", far_to, SCRATCH, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xa01b);
	TRY("a return to what is not present", far_to, SCRATCH, 0);
	static struct { u32 offset; u16 selector; } __attribute__((packed)) gate_pointer = { 0x1234, SCRATCH };
	static struct { u32 offset; u16 selector; } __attribute__((packed)) pointer = { 0, TASK };
	TRY("a jump to a task", jump_far, (word)&pointer, 0);
	pointer.selector = DATA;
	TRY("a jump to data", jump_far, (word)&pointer, 0);
	call_gate(SCRATCH / 8, (word)inner, CODE64, 0xec00);
	TRY("a call gate", call_far, (word)&gate_pointer, 0);
	TRY_USER("a call gate by a user", user_call_far, (word)&gate_pointer + USER, 0);
	say("CS %x SS %x, called from CS %x SS %x", seen_there[0] & 0xffff, seen_there[1] & 0xffff, seen_there[2], 0ul);
	say("back: CS %x SS %x", last.cs, last.ss);
	call_gate(SCRATCH / 8, (word)inner, CODE64, 0x8c00);
	TRY_USER("a call gate of level 0 by a user", user_call_far, (word)&gate_pointer + USER, 0);
	call_gate(SCRATCH / 8, (word)inner, CODE32, 0xec00);
	TRY("a call gate to 32-bit code", call_far, (word)&gate_pointer, 0);
	call_gate(SCRATCH / 8, (word)inner, CODE64, 0x6c00);
	TRY("a call gate that is not present", call_far, (word)&gate_pointer, 0);
	call_gate(SCRATCH / 8, 0x800000000000, CODE64, 0xec00);
	TRY("a call gate to an address that is none", call_far, (word)&gate_pointer, 0);
	gdt[SCRATCH / 8 + 1] = 0x1f0000000000;
	TRY("a call gate with a type in its upper half", call_far, (word)&gate_pointer, 0);
}

/* Bits 16 to 19 of what LAR gives are undefined. */
static word ask_lar(u16 selector)
{
	u32 value;
	u8 found;
	asm("lar %w2, %0; setz %1" : "=r"(value), "=q"(found) : "r"((u32)selector));
	return found ? value & 0xf0ff00 : 1;
}

static word ask_lsl(u16 selector)
{
	u32 value;
	u8 found;
	asm("lsl %w2, %0; setz %1" : "=r"(value), "=q"(found) : "r"((u32)selector));
	return found ? value : 1;
}

static word ask_verr(u16 selector) { u8 found; asm("verr %w1; setz %0" : "=q"(found) : "r"((u32)selector)); return found; }
static word ask_verw(u16 selector) { u8 found; asm("verw %w1; setz %0" : "=q"(found) : "r"((u32)selector)); return found; }

TOPIC(asking, "lar-lsl")
{
	for (int type = 0; type < 32; type++) {
		gdt[SCRATCH / 8] = descriptor(0, 0x12345, 0x8080 | type);
		gdt[SCRATCH / 8 + 1] = 0;
		say("type %x: LAR %x LSL %x VERR %d VERW %d", (word)type, ask_lar(SCRATCH), ask_lsl(SCRATCH), ask_verr(SCRATCH), ask_verw(SCRATCH));
	}
	say("RPL 3: LAR %x LSL %x VERR %d VERW %d", ask_lar(DATA | 3), ask_lsl(DATA | 3), ask_verr(DATA | 3), ask_verw(DATA | 3));
	say("null: LAR %x LSL %x VERR %d VERW %d", ask_lar(0), ask_lsl(0), ask_verr(0), ask_verw(0));
	say("behind the table: LAR %x LSL %x VERR %d VERW %d", ask_lar(0x800), ask_lsl(0x800), ask_verr(0x800), ask_verw(0x800));
	gdt[SCRATCH / 8] = descriptor(0, 0x12345, 0x8013);
	say("not present: LAR %x LSL %x VERR %d VERW %d", ask_lar(SCRATCH), ask_lsl(SCRATCH), ask_verr(SCRATCH), ask_verw(SCRATCH));
}
