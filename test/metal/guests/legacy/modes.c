/* From protected mode to real mode and back, real mode with large segments, and to long mode and back. */
#include "../metal.h"

/* At 9000h in real mode; it is copied there. Its 32-bit part comes back to `resume`. */
asm(".pushsection .text\n"
	".global real_code, real_code_end, go_real, resume\n"
	"go_real: pusha; mov %esp, saved_stack; sidt saved_idt; lidt real_idt; ljmp $0x50, $0x9000\n"
	"real_code: .code16\n"
	"	mov $0x58, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov %di, %fs\n"
	"	mov %cr0, %eax; and $~1, %al; mov %eax, %cr0\n"
	"	.byte 0xea; .word 1f - real_code + 0x9000, 0\n"
	"1:	xor %ax, %ax; mov %ax, %ds; mov %ax, %es; mov %ax, %ss; mov $0x7000, %sp\n"
	"	mov %cr0, %eax; mov %eax, 0x9800; mov %cs, 0x9804\n"
	"	int $0x60; mov %ax, 0x9808\n"
	"	mov $0x1234, %ax; mov %ax, %es; movw $0x5678, %es:0x10;\n"
	"	pushf; pop 0x980c; pushfl; pop %eax; mov %eax, 0x9810\n"
	"	mov $0x10000, %ebx; cmp $0, %di; je 2f; addr32 mov %fs:0x90000(%ebx), %ax; mov %ax, 0x9814; jmp 3f\n"
	"2:	addr32 movb (%ebx), %al\n"
	"3:	xor %cx, %cx; div %cl; into; mov %si, 0x9818\n"
	"	smsw %ax; or $1, %al; lmsw %ax\n"
	"	.byte 0x66, 0xea; .long resume; .word 0x08\n"
	/* Interrupts of real mode: 60h gives its number, 0 steps over the division, 13 counts and steps over the load. */
	"real_60: mov $0x6060, %ax; iret\n"
	"real_0: push %bp; mov %sp, %bp; addw $2, 2(%bp); pop %bp; or $1, %si; iret\n"
	"real_13: push %bp; mov %sp, %bp; mov 2(%bp), %ax; sub $2b - real_code + 0x9000, %ax; mov %ax, 0x981c; addw $3, 2(%bp); pop %bp; or $2, %si; iret\n"
	"real_code_end: .code32\n"
	"resume: mov $0x10, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %ss; mov %eax, %fs; mov saved_stack, %esp; lidt saved_idt; popa; ret\n"
	".popsection; .pushsection .data; saved_stack: .long 0; saved_idt: .skip 8; real_idt: .word 0x3ff; .long 0; .popsection");
extern const char real_code[], real_code_end[], go_real[], real_60[], real_0[], real_13[];

static void real(const char *what, word selector)
{
	for (const char *at = real_code; at < real_code_end; at++) ((volatile u8 *)0x9000)[at - real_code] = *at;
	for (int at = 0; at < 8; at++) ((volatile u32 *)0x9800)[at] = 0;
	gdt[0x50 / 8] = descriptor(0, 0xffff, 0x009b), gdt[0x58 / 8] = descriptor(0, 0xffff, 0x0093), gdt[0x60 / 8] = descriptor(0, 0xfffff, 0xc093);
	volatile u32 *ivt = 0;
	asm volatile("" : "+r"(ivt));
	ivt[0x60] = real_60 - real_code + 0x9000, ivt[0] = real_0 - real_code + 0x9000, ivt[13] = real_13 - real_code + 0x9000;
	*(volatile u32 *)0xa0000 = 0;
	asm volatile("mov %0, %%edi; xor %%esi, %%esi; call go_real" :: "r"(selector) : "edi", "esi", "memory", "cc");
	volatile u32 *found = (u32 *)0x9800;
	say("%s: CR0 %x CS %x, INT 60h %x, flags %x %x, large %x, exceptions %x, load at +%x, word at 12350h %x", what, found[0] & ~0x60000000u, found[1],
		found[2], found[3] & ~0xd5u, found[4] & ~0xd5u, found[5], found[6], found[7], *(volatile u16 *)0x12350);
}

TOPIC(real_mode, "real-mode")
{
	real("limits of 64 KiB", 0);
	reset_processor();
	real("large FS", 0x60);
	reset_processor();
}

static u64 pml4[512] __attribute__((aligned(4096))), pdpt[512] __attribute__((aligned(4096))), pd[512] __attribute__((aligned(4096)));
CODE(to_long, "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4; mov %edi, %cr3; mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr; mov %cr0, %eax;"
	"or $0x80000000, %eax; mov %eax, %cr0;"
	"rdmsr; mov %eax, seen_there; ljmp $0x50, $1f; .code64; 1: mov $0x123456789a, %rax; shr $4, %rax; mov %rax, %rbx; shr $32, %rbx; mov %ebx, 4(%rsi);"
		"mov %cs, %eax; mov %eax, 8(%rsi);"
	"movl $0x08, 36(%rsi); lea 2f(%rip), %eax; mov %eax, 32(%rsi); ljmpl *32(%rsi); .code32; 2: mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0;"
		"rdmsr; mov %eax, seen_there + 12;"
	"and $~0x100, %eax; wrmsr; mov %cr4, %eax; and $~0x20, %eax; mov %eax, %cr4; mov %cr0, %eax; mov %eax, seen_there + 16; ret");

TOPIC(long_mode, "long-mode")
{
	pml4[0] = (word)pdpt | 3, pdpt[0] = (word)pd | 3;
	for (word at = 0; at < 32; at++) pd[at] = at << 21 | 0x83;
	gdt[0x50 / 8] = descriptor(0, 0xfffff, 0xa09b);
	TRY("there and back", to_long, (word)pml4, (word)seen_there);
	say("EFER %x, %x, CS %x, back: EFER %x, CR0 %x", (word)seen_there[0], (word)seen_there[1], (word)seen_there[2] & 0xffff, (word)seen_there[3],
		(word)seen_there[4]);
	reset_processor();
}
