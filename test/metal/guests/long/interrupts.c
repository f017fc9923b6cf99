/* Interrupts by the local APIC: what holds them off, what wakes a processor, and NMIs. */
#include "../metal.h"

#define APIC 0xfee00000ul
static volatile u32 *apic(word offset) { return (volatile u32 *)(APIC + offset); }
enum { ID = 0x20, TPR = 0x80, EOI = 0xb0, SPURIOUS = 0xf0, IRR = 0x200, COMMAND = 0x300, COMMAND_HIGH = 0x310 };

static void send(u32 command)
{
	*apic(COMMAND_HIGH) = *apic(ID);
	*apic(COMMAND) = command;
	while (*apic(COMMAND) & 1 << 12) asm volatile("pause");
}
static void send_self(int vector) { send(1 << 18 | vector); }

static void prepare(void)
{
	*apic(SPURIOUS) = 0x1ff;
	*apic(TPR) = 0;
}

static word arrivals[16], at_ip[16], seen;
static int arrive(struct trap *trap)
{
	if (trap->vector < 0x40 && trap->vector != NMI) return 0;
	if (seen < 16) arrivals[seen] = trap->vector, at_ip[seen] = trap->ip;
	seen++;
	if (trap->vector != NMI) *apic(EOI) = 0;
	return 1;
}

static void told(const char *what, const char *code)
{
	for (word at = 0; at < seen && at < 16; at++) say("%s: vector %x before +%d", what, arrivals[at], at_ip[at] - (word)code);
	if (!seen) say("%s: nothing", what);
	seen = 0;
}

CODE(sti_nops, "sti; nop; nop; cli; ret");
CODE(sti_cli, "sti; cli; nop; ret");
CODE(sti_sti, "sti; sti; nop; cli; ret");
CODE(popf_nops, "push $0x202; popf; nop; nop; cli; ret");
CODE(sti_halt, "sti; hlt; cli; ret");
CODE(iret_nops, "mov %ss, %eax; mov %rsp, %rdx; push %rax; push %rdx; push $0x202; mov %cs, %eax; push %rax; lea 1f(%rip), %rax; push %rax; iretq;"
	"1: nop; cli; ret");

TOPIC(interrupts, "interrupts")
{
	prepare();
	on_trap = arrive;
	send_self(0x50), attempt(sti_nops, 0, 0), told("STI", sti_nops);
	send_self(0x50), attempt(sti_cli, 0, 0), told("STI, CLI", sti_cli);
	attempt(sti_nops, 0, 0), told("then STI", sti_nops);
	send_self(0x50), attempt(sti_sti, 0, 0), told("STI, STI", sti_sti);
	send_self(0x50), attempt(popf_nops, 0, 0), told("POPF", popf_nops);
	send_self(0x50), attempt(iret_nops, 0, 0), told("IRET", iret_nops);
	send_self(0x50), attempt(sti_halt, 0, 0), told("STI, HLT", sti_halt);
	send_self(0x50), send_self(0x61), send_self(0x52), send_self(0x6f);
	attempt(sti_nops, 0, 0), told("priorities", sti_nops);
	*apic(TPR) = 0x60;
	send_self(0x50), send_self(0x71), send_self(0x61), attempt(sti_nops, 0, 0), told("with a task priority of 60h", sti_nops);
	say("waiting: %x %x", (word)*apic(IRR + 0x20), (word)*apic(IRR + 0x30));
	word cr8;
	asm volatile("mov %%cr8, %0" : "=r"(cr8));
	say("CR8 %x", cr8);
	asm volatile("mov %0, %%cr8" :: "r"(5ul));
	say("TPR by CR8: %x", (word)*apic(TPR));
	attempt(sti_nops, 0, 0), told("with CR8 of 5", sti_nops);
	asm volatile("mov %0, %%cr8" :: "r"(0ul));
	attempt(sti_nops, 0, 0), told("with CR8 of 0", sti_nops);
	on_trap = 0;
}

static volatile word nmis;
static int nested(struct trap *trap)
{
	if (trap->vector != NMI) return arrive(trap);
	if (++nmis == 1) {
		send(4 << 8 | 1 << 14);
		for (int turn = 0; turn < 1000; turn++) asm volatile("pause");
		say("in the handler: %d", nmis);
	}
	return 1;
}

TOPIC(not_maskable, "nmi")
{
	prepare();
	on_trap = nested;
	nmis = 0;
	send(4 << 8 | 1 << 14);
	for (int turn = 0; turn < 1000; turn++) asm volatile("pause");
	say("behind it: %d", nmis);
	on_trap = 0;
}
