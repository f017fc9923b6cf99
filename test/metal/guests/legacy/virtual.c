/* Virtual-8086 mode, with its extensions and without. */
#include "../metal.h"

enum { PLACE = 0x8000 };
#define REAL(name, text) \
	asm(".pushsection .text; .global " #name ", " #name "_end; .code16; " #name ": " text "; " #name "_end: .code32; .popsection"); \
	extern const char name[], name##_end[]

/* To code at 8000h with a stack from 7000h down; general registers are not told. */
asm(".pushsection .text; .balign 16; enter_8086: push $0; push $0; push $0x12; push $0x11; push $0; push $0x6000; push %edi; push $0x800; push $0;"
	"xor %eax, %eax; iret; .popsection");
extern const char enter_8086[];

static void run(const char *what, const char *code, const char *end, word flags)
{
	for (const char *at = code; at < end; at++) ((u8 *)PLACE)[at - code] = *at;
	attempt(enter_8086, FLAG_VM | 2 | flags, 0);
	if (last.vector == UD && last.ip == 0x100) last.vector = DONE;
	if (last.vector == DONE) say("%s: done, AX %x, flags %x", what, last.ax & 0xffff, last.flags);
	else say("%s: %s vector %x error %x at %x:%x, AX %x, flags %x", what, last.flags & FLAG_VM ? "VM" : "no VM", last.vector, last.error, last.cs, last.ip,
		last.ax & 0xffff, last.flags);
}
#define RUN(what, name, flags) run(what, name, name##_end, flags)

/* At 8100h is UD2, where code ends that has come through. */
#define LEAVE "; .byte 0xea; .word 0x100, 0x800"
REAL(plain, "mov %ds, %ax; add $0x1000, %ax" LEAVE);
REAL(do_cli, "cli" LEAVE);
REAL(do_sti, "sti; pushf; pop %ax" LEAVE);
REAL(do_pushf, "pushf; pop %ax" LEAVE);
REAL(do_popf, "push $0x0202; popf; pushf; pop %ax" LEAVE);
REAL(do_popf_tf, "push $0x0102; popf" LEAVE);
REAL(do_pushfl, "pushfl; pop %eax" LEAVE);
REAL(do_int, "int $0x40" LEAVE);
REAL(do_int3, "int3" LEAVE);
REAL(do_iret, "push $0x0202; push %cs; call 1f; 1: pop %bx; add $8, %bx; push %bx; iret; nop; nop; pushf; pop %ax" LEAVE);
REAL(do_out, "mov $0x80, %dx; out %al, %dx" LEAVE);
REAL(do_hlt, "hlt");
REAL(do_cr, "mov %cr0, %eax");
REAL(do_lldt, "lldt %ax");
REAL(do_limit, "mov $0xffff, %bx; mov (%bx), %ax");
REAL(do_far, "mov $0x1234, %ax; mov %ax, %es; mov %es, %ax" LEAVE);
REAL(do_div, "xor %cx, %cx; div %cx");

static void all(const char *which, word flags)
{
	say("%s", which);
	RUN("plain", plain, flags), RUN("CLI", do_cli, flags), RUN("STI", do_sti, flags), RUN("PUSHF", do_pushf, flags), RUN("POPF", do_popf, flags);
	RUN("POPF with TF", do_popf_tf, flags), RUN("PUSHFD", do_pushfl, flags), RUN("INT 40h", do_int, flags), RUN("INT3", do_int3, flags);
	RUN("IRET", do_iret, flags);
	RUN("OUT", do_out, flags), RUN("HLT", do_hlt, flags), RUN("CR0", do_cr, flags), RUN("LLDT", do_lldt, flags), RUN("beyond the limit", do_limit, flags);
	RUN("segments", do_far, flags), RUN("divide", do_div, flags);
}

static void prepare(void)
{
	((u8 *)PLACE)[0x100] = 0x0f, ((u8 *)PLACE)[0x101] = 0x0b;
	set_gate(0x40, (word)vectors + 16 * 0x40, CODE32, 0xee00);
}

TOPIC(virtual_8086, "v86")
{
	prepare();
	all("IOPL 0", 0);
	all("IOPL 3", 0x3000);
	/* The map of ports and, for VME, in front of it the one of vectors. */
	u8 *map = (u8 *)&task[26];
	for (int at = 0; at < 32 + 33; at++) map[at] = 0;
	map[32 + 32] = 0xff;
	task[25] = (104 + 32) << 16;
	gdt[TASK / 8] = descriptor((word)task, 0x67 + 32 + 33, 0x89);
	asm volatile("ltr %w0" :: "r"((word)TASK));
	RUN("OUT by the map", do_out, 0);
	reset_processor();
}

TOPIC(virtual_extensions, "vme")
{
	if (!offered("VME", 1, 3, 1)) return;
	prepare();
	u8 *map = (u8 *)&task[26];
	for (int at = 0; at < 32 + 33; at++) map[at] = 0;
	task[25] = (104 + 32) << 16;
	gdt[TASK / 8] = descriptor((word)task, 0x67 + 32 + 33, 0x89);
	asm volatile("ltr %w0" :: "r"((word)TASK));
	/* The 8086's own vector 40h. */
	*(volatile u32 *)(0x40 * 4) = 0x08000100;
	write_cr4(CR4_VME);
	all("VME, IOPL 0", 0);
	all("VME, IOPL 3", 0x3000);
	RUN("STI with VIP", do_sti, FLAG_VIP);
	RUN("POPF with VIP", do_popf, FLAG_VIP);
	RUN("IRET with VIP", do_iret, FLAG_VIP);
	RUN("CLI with VIF", do_cli, FLAG_VIF);
	RUN("PUSHF with VIF", do_pushf, FLAG_VIF);
	map[0x40 / 8] = 1;
	RUN("INT 40h that is not the 8086's", do_int, 0);
	RUN("INT 40h that is not the 8086's, with IOPL 3", do_int, 0x3000);
	reset_processor();
	task[25] = 0x680000;
}
