/* Code that is written: by itself, across pages, by another address, by strings; and code whose page becomes another. */
#include "../metal.h"

#define WINDOW 0x8000000000ul
enum { P = 1, W = 2 };
extern u64 pml4[512];
static u64 level3[512] __attribute__((aligned(4096))), level2[512] __attribute__((aligned(4096))), level1[512] __attribute__((aligned(4096)));
static u8 area[4 * 4096] __attribute__((aligned(4096)));

/* mov $number, %eax; ret */
static void put(u8 *at, u32 number) { at[0] = 0xb8, *(volatile u32 *)(at + 1) = number, at[5] = 0xc3; }
static word call(const void *at) { return ((word (*)(void))at)(); }

CODE(next_one, "movb $2, 1f + 1; 1: mov $1, %eax; ret");
CODE(itself, "mov $0x90, %al; mov $4, %ecx; lea 1f, %rdi; cld; rep stosb; 1: jmp . + 0x1000; nop; nop; mov $7, %eax; ret");
CODE(in_a_loop, "xor %eax, %eax; mov $5, %ecx; 1: add $1, %eax; incb 1b + 2; dec %ecx; jnz 1b; ret");
CODE(behind_a_jump, "movl $0x90909090, 1f; jmp 1f; nop; nop; nop; 1: ud2; ud2; mov $9, %eax; ret");
/* XCHG, PUSH and floating point write too. */
CODE(exchanged, "mov $3, %eax; xchg %al, 1f + 1; 1: mov $1, %eax; ret");

TOPIC(written, "self-modifying")
{
	say("the next instruction: %x", call(next_one)), say("once more: %x", call(next_one));
	say("by STOSB: %x", call(itself));
	say("in a loop: %x", call(in_a_loop));
	say("behind a jump: %x", call(behind_a_jump));
	say("by XCHG: %x", call(exchanged));
	u8 *across = area + 4096 - 3;
	put(across, 0x11111111);
	word first = call(across);
	area[4097] = 0x22;
	word second = call(across);
	area[4095] = 0x33;
	say("across pages: %x %x %x", first, second, call(across));
	across = area + 4096 - 6, put(across, 1), across[5] = 0x90, area[4096] = 0xc3;
	first = call(across), area[4096] = 0x40, area[4097] = 0xc3;
	say("behind the end of a page: %x", first);
	area[4096] = 0xb0, area[4097] = 0x7f, area[4098] = 0xc3;
	say("what comes next: %x", call(across));
	pml4[1] = (word)level3 | P | W, level3[0] = (word)level2 | P | W, level2[0] = (word)level1 | P | W;
	for (int page = 0; page < 4; page++) level1[page] = (word)(area + page * 4096) | P | W;
	put(area, 5), first = call((void *)WINDOW), put((u8 *)WINDOW, 6);
	say("by another address: %x %x %x", first, call((void *)WINDOW), call(area));
	put(area + 4096, 8), level1[0] = (word)(area + 4096) | P, invlpg(WINDOW);
	say("another page: %x", call((void *)WINDOW));
	put(area + 2 * 4096 - 3, 0x01020304);
	first = call((void *)(WINDOW + 2 * 4096 - 3));
	area[3 * 4096] = 0x55, area[3 * 4096 + 1] = 0x66, area[3 * 4096 + 2] = 0xc3;
	level1[2] = (word)(area + 3 * 4096) | P, invlpg(WINDOW + 2 * 4096);
	say("another second page: %x %x", first, call((void *)(WINDOW + 2 * 4096 - 3)));
	level1[2] = 0, invlpg(WINDOW + 2 * 4096);
	TRY("no second page", (const char *)WINDOW + 2 * 4096 - 3, 0, 0);
	pml4[1] = 0, write_cr3(read_cr3());
}
