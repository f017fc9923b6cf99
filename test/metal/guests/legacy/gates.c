/* Call gates with parameters, interrupt and trap gates of both sizes, conforming handlers, SYSENTER, and the permission bitmap of ports. */
#include "../metal.h"

CODE(inner, "mov %cs, seen_there; mov %ss, seen_there + 4; mov 8(%esp), %eax; mov %eax, seen_there + 8; mov 12(%esp), %eax; mov %eax, seen_there + 12;"
	"lret $8");
CODE(user_call, "push $0x22222222; push $0x11111111; mov %esp, %ebp; lcall *(%edi); mov %esp, %ebx; sub %ebp, %ebx" END);
CODE(user_jump_gate, "ljmp *(%edi)" END);

static void call_gate(word target, u16 selector, u32 type)
{
	gdt[SCRATCH / 8] = (target & 0xffff) | (u64)selector << 16 | (u64)type << 32 | (u64)(target >> 16) << 48;
}

static struct { u32 offset; u16 selector; } __attribute__((packed)) pointer = { 0x1234, SCRATCH };

TOPIC(call_gates, "call-gates")
{
	word to = (word)&pointer;
	pointer.selector = SCRATCH | 3;
	call_gate((word)inner, CODE32, 0xec02);
	TRY_USER("two parameters", user_call, to, 0);
	say("CS %x SS %x, %x %x, back at CS %x SS %x, released %x", seen_there[0] & 0xffff, seen_there[1] & 0xffff, (word)seen_there[2], (word)seen_there[3],
		last.cs, last.ss, last.bx);
	TRY_USER("a jump inwards", user_jump_gate, to, 0);
	call_gate((word)inner, CODE32, 0x8c02);
	TRY_USER("a gate of level 0", user_call, to, 0);
	call_gate((word)inner, CODE32, 0x6c02);
	TRY_USER("a gate that is not present", user_call, to, 0);
	call_gate((word)inner, 0, 0xec02);
	TRY_USER("a null selector", user_call, to, 0);
	call_gate((word)inner, DATA, 0xec02);
	TRY_USER("a data segment", user_call, to, 0);
	/* To level 1, so that the stack of level 0 stays a good one for the exception. */
	gdt[SCRATCH / 8 + 1] = descriptor(0, 0xfffff, 0xc0bb), gdt[SCRATCH / 8 + 2] = descriptor(0, 0xfffff, 0xc033);
	call_gate((word)inner, SCRATCH + 8, 0xec02);
	task[3] = (word)trap_stack_end - 0x800;
	static const u16 stacks[] = { 0, USER_DATA, DATA, SCRATCH + 8, 0x100, SCRATCH + 16 + 1 };
	for (unsigned at = 0; at < sizeof stacks / sizeof *stacks; at++) {
		task[4] = stacks[at];
		say("an inner stack of %x", (word)stacks[at]);
		TRY_USER("of level 1", user_call, to, 0);
	}
	gdt[SCRATCH / 8 + 2] = descriptor(0, 0xfffff, 0xc0b3);
	TRY_USER("of level 1", user_call, to, 0);
	say("CS %x SS %x", seen_there[0] & 0xffff, seen_there[1] & 0xffff);
}

CODE(software, "int $0x41; ret");
CODE(user_software, "int $0x41" END);
static word frame_flags, flags_now;
static int look(struct trap *trap)
{
	if (trap->vector != 0x41) return 0;
	frame_flags = trap->flags;
	asm volatile("pushf; pop %0" : "=r"(flags_now));
	return 0;
}
CODE(handler_conforming, "mov %cs, seen_there; iret");

static void by_gate(const char *what, word target, u16 selector, u16 type, const char *code, int user)
{
	set_gate(0x41, target, selector, type);
	on_trap = look;
	if (user) TRY_USER(what, code, 0, 0);
	else TRY(what, code, 0, 0);
	on_trap = 0;
}

TOPIC(gates, "gates-32")
{
	word handler = (word)vectors + 16 * 0x41;
	user_flags = 0x202;
	by_gate("interrupt gate", handler, CODE32, 0xee00, user_software, 1), say("flags %x then %x", frame_flags & ~FLAG_RF, flags_now & FLAG_IF);
	by_gate("trap gate", handler, CODE32, 0xef00, user_software, 1), say("flags %x then %x", frame_flags & ~FLAG_RF, flags_now & FLAG_IF);
	user_flags = 2;
	by_gate("of level 0 by a user", handler, CODE32, 0x8e00, user_software, 1);
	by_gate("not present", handler, CODE32, 0x0e00, software, 0);
	by_gate("null selector", handler, 0, 0x8e00, software, 0);
	by_gate("data", handler, DATA, 0x8e00, software, 0);
	by_gate("call gate", handler, CODE32, 0x8c00, software, 0);
	by_gate("code of level 3", handler, USER_CODE32, 0x8e00, software, 0);
	gdt[SCRATCH / 8] = descriptor(0, 0xfffff, 0xc09f);
	by_gate("conforming, by a user", (word)handler_conforming, SCRATCH, 0xee00, user_software, 1);
	say("CS %x", seen_there[0] & 0xffff);
}

CODE(fast_entry, "mov %esp, seen_there; mov %cs, seen_there + 4; mov %ss, seen_there + 8; pushf; pop seen_there + 12; mov %ebx, %edx; mov %ebp, %ecx;"
	"sysexit");
CODE(user_sysenter, "mov $1f, %ebx; mov %esp, %ebp; sysenter; ud2; 1: sub %esp, %ebp" END);
CODE(plain_sysexit, "sysexit");

TOPIC(fast_calls, "sysenter-32")
{
	wrmsr(SYSENTER_CS, 0), wrmsr(SYSENTER_EIP, (word)fast_entry), wrmsr(SYSENTER_ESP, (word)trap_stack_end - 64);
	TRY_USER("without a CS", user_sysenter, 0, 0);
	TRY("SYSEXIT without a CS", plain_sysexit, 0, 0);
	wrmsr(SYSENTER_CS, CODE32);
	user_flags = 0x3202;
	TRY_USER("there and back", user_sysenter, 0, 0);
	say("stack %d CS %x SS %x flags %x", (word)(seen_there[0] == (word)trap_stack_end - 64), seen_there[1] & 0xffff, seen_there[2] & 0xffff,
		(word)seen_there[3]);
	say("back: CS %x SS %x, stack moved by %x", last.cs, last.ss, last.bp);
}

CODE(user_in, "mov %edi, %edx; in (%dx), %al" END);
CODE(user_in_4, "mov %edi, %edx; in (%dx), %eax" END);
CODE(user_ins, "mov %edi, %edx; lea -64(%esp), %edi; insb" END);

TOPIC(permissions, "port-permissions")
{
	u8 *map = (u8 *)&task[26];
	for (int at = 0; at < 32; at++) map[at] = 0xff;
	map[0x80 / 8] = 0xfe, map[0x90 / 8] = 0xf0;
	gdt[TASK / 8] = descriptor((word)task, 0x67 + 32, 0x89);
	asm volatile("ltr %w0" :: "r"((word)TASK));
	TRY_USER("allowed", user_in, 0x80, 0);
	TRY_USER("not allowed", user_in, 0x81, 0);
	TRY_USER("four, one allowed", user_in_4, 0x80, 0);
	TRY_USER("four allowed", user_in_4, 0x90, 0);
	TRY_USER("INSB allowed", user_ins, 0x80, 0);
	TRY_USER("INSB not allowed", user_ins, 0x81, 0);
	TRY_USER("behind the map", user_in, 0x400, 0);
	task[25] = 0xffff0000;
	TRY_USER("without a map", user_in, 0x80, 0);
	user_flags = 0x3002;
	TRY_USER("with IOPL 3", user_in, 0x81, 0);
}
