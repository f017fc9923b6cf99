/* Breakpoints on code, data and ports, single steps, and what guards the debug registers. */
#include "../metal.h"

enum { EXECUTE, WRITE, IO, ACCESS };
#define LENGTH(bytes) (word)((bytes) == 8 ? 2 : (bytes) - 1)
#define ENABLE(number, kind, bytes) (2ul << 2 * (number) | (word)(kind) << (16 + 4 * (number)) | LENGTH(bytes) << (18 + 4 * (number)))

/* Of each trap its place and DR6, for as many as there are; RF in the image of code's own breakpoints is set so that it goes on. */
static word places[64], causes[64], images[64], count;
static int note(struct trap *trap)
{
	if (trap->vector != DB || count == 64) return 0;
	places[count] = trap->ip, images[count] = trap->flags, causes[count++] = last_dr6;
	write_dr6(0xffff0ff0);
	if (last_dr6 & 0xf && (read_dr7() >> 16 & 3) == EXECUTE) trap->flags |= FLAG_RF;
	return 1;
}

static void watch(const char *what, const char *code, word a, word b, int user)
{
	count = 0, on_trap = note;
	if (user) attempt_user(code, a, b);
	else attempt(code, a, b);
	on_trap = 0;
	write_dr7(0x400);
	for (word at = 0; at < count; at++) {
		word place = places[at] - (word)code - (user ? USER : 0);
		say("%s: DR6 %x behind +%d", what, causes[at], place < 0x1000 ? place : 9999);
	}
	tell(what, code);
}

CODE(three_nops, "nop; nop; nop; ret");
CODE(stores, "movb %al, (%rdi); movb %al, 1(%rdi); movw %ax, 2(%rdi); movl %eax, 4(%rdi); movq %rax, (%rdi); mov (%rdi), %rax; addl $1, 4(%rdi);"
	"cmpl $0, 4(%rdi); ret");
CODE(around, "movq %rax, -7(%rdi); movq %rax, 7(%rdi); movl %eax, -4(%rdi); movl %eax, 8(%rdi); ret");
CODE(stack_use, "push %rax; pop %rax; call 1f; 1: pop %rax; ret");
CODE(strings, "mov $3, %ecx; mov %rdi, %rsi; cld; rep movsb; ret");
CODE(ports, "mov $0x80, %edx; in (%dx), %al; out %al, (%dx); inc %edx; out %al, (%dx); ret");
CODE(string_ports, "mov $0x80, %edx; mov %rdi, %rsi; cld; outsb; ret");

CODE(user_store, "movb %al, (%rdi)" END);

TOPIC(breakpoints, "breakpoints")
{
	static u64 data[8] __attribute__((aligned(64)));
	word target = (word)data;
	write_dr0((word)three_nops + 1), write_dr7(ENABLE(0, EXECUTE, 1));
	watch("on code", three_nops, 0, 0, 0);
	say("RF in the image: %x", images[0] & FLAG_RF);
	write_dr0(target), write_dr7(ENABLE(0, WRITE, 1));
	watch("writes of a byte", stores, target, 0, 0);
	write_dr7(ENABLE(0, ACCESS, 1));
	watch("accesses to a byte", stores, target, 0, 0);
	write_dr1(target + 4), write_dr7(ENABLE(1, WRITE, 4));
	watch("writes of four", stores, target, 0, 0);
	write_dr7(ENABLE(0, WRITE, 1) | ENABLE(1, ACCESS, 4));
	watch("two breakpoints", stores, target, 0, 0);
	write_dr2(target), write_dr7(ENABLE(2, ACCESS, 8));
	watch("eight bytes", around, target, 0, 0);
	write_dr3(target + 2), write_dr7(ENABLE(3, WRITE, 2));
	watch("two bytes", stores, target, 0, 0);
	write_dr0(target), write_dr7(ENABLE(0, WRITE, 1) & ~3ul);
	watch("not enabled", stores, target, 0, 0);
	write_dr0(target + 1), write_dr7(ENABLE(0, WRITE, 1));
	watch("in the midst of REP MOVSB", strings, target, 0, 0);
	write_dr0(target + USER), write_dr7(ENABLE(0, WRITE, 1));
	watch("by a user", user_store, target + USER, 0, 1);
}

TOPIC(port_breakpoints, "port-breakpoints")
{
	static u64 data[2];
	write_dr0(0x80);
	write_cr4(read_cr4() | CR4_DE);
	write_dr7(ENABLE(0, IO, 1));
	watch("with DE", ports, 0, 0, 0);
	write_dr7(ENABLE(0, IO, 2));
	watch("two ports", ports, 0, 0, 0);
	write_dr7(ENABLE(0, IO, 1));
	watch("OUTSB", string_ports, (word)data, 0, 0);
}

CODE(stepped, "pushf; orl $0x100, (%rsp); popf; nop; mov $1, %eax; cpuid; pushf; andl $~0x100, (%rsp); popf; nop; ret");
CODE(step_interrupt, "pushf; orl $0x100, (%rsp); popf; nop; int3; pushf; andl $~0x100, (%rsp); popf; ret");
CODE(step_stack, "mov %ss, %ax; pushf; orl $0x100, (%rsp); popf; mov %ax, %ss; nop; nop; pushf; andl $~0x100, (%rsp); popf; ret");
CODE(step_strings, "mov $3, %ecx; mov %rdi, %rsi; cld; pushf; orl $0x100, (%rsp); popf; rep movsb; pushf; andl $~0x100, (%rsp); popf; ret");
CODE(step_fault, "pushf; orl $0x100, (%rsp); popf; ud2");
CODE(user_stepped, "nop; nop" END);

static int pass_breakpoint(struct trap *trap) { return trap->vector == BP || note(trap); }

TOPIC(single_step, "single-step")
{
	static u64 data[2];
	watch("plain", stepped, 0, 0, 0);
	watch("MOV SS", step_stack, 0, 0, 0);
	watch("REP MOVSB", strings, (word)data, 0, 0);
	watch("REP MOVSB stepped", step_strings, (word)data, 0, 0);
	count = 0, on_trap = pass_breakpoint, attempt(step_interrupt, 0, 0), on_trap = 0;
	for (word at = 0; at < count; at++) say("INT3: +%d", places[at] - (word)step_interrupt);
	watch("a fault", step_fault, 0, 0, 0);
	user_flags = 0x102;
	watch("by a user", user_stepped, 0, 0, 1);
}

CODE(icebp, ".byte 0xf1; nop; ret");
CODE(general_detect, "mov %dr0, %rax; ret");
CODE(from_dr4, ".byte 0x0f, 0x21, 0xe0; ret");
CODE(to_dr6, "mov %rdi, %dr6; ret");
CODE(to_dr7, "mov %rdi, %dr7; ret");
CODE(user_dr, "mov %dr7, %rax" END);

TOPIC(debug_registers, "debug-registers")
{
	count = 0;
	TRY("INT1", icebp, 0, 0);
	say("DR6 %x", read_dr6());
	write_dr6(0);
	say("DR6 of 0 reads %x", read_dr6());
	write_dr6(0xffffffff);
	say("DR6 of ones reads %x", read_dr6() & ~0x10800ul);
	write_dr6(0xffff0ff0);
	write_dr7(0);
	say("DR7 of 0 reads %x", read_dr7());
	TRY("DR6 of more than 32 bits", to_dr6, 1ul << 32, 0);
	TRY("DR7 of more than 32 bits", to_dr7, 1ul << 32, 0);
	TRY("DR4 is DR6", from_dr4, 0, 0);
	write_cr4(read_cr4() | CR4_DE);
	TRY("DR4 with DE", from_dr4, 0, 0);
	TRY_USER("by a user", user_dr, 0, 0);
	write_dr7(0x2400);
	TRY("with GD", general_detect, 0, 0);
	say("DR6 %x, DR7 %x", last_dr6, read_dr7());
}
