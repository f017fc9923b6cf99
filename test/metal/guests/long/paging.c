/* Four levels of tables: which access each combination of rights allows, what is marked, which bits are reserved. */
#include "../metal.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80, G = 0x100 };
#define NX (1ull << 63)
#define WINDOW 0x8000000000ul
extern u64 pml4[512];
static u64 level3[512] __attribute__((aligned(4096))), level2[512] __attribute__((aligned(4096))), level1[512] __attribute__((aligned(4096)));

/* 2 MiB of it is at 32 MiB: at its first byte a return, at 16 the end of an attempt in user mode. */
#define TARGET 0x2000000ul

CODE(load, "mov 128(%rdi), %al; ret");
CODE(store, "movb $1, 128(%rdi); ret");
CODE(call_it, "jmp *%rdi");
CODE(user_load, "mov 128(%rdi), %al" END);
CODE(user_store, "movb $1, 128(%rdi)" END);
CODE(user_jump, "add $16, %rdi; jmp *%rdi");
CODE(load_lifted, "stac; mov 128(%rdi), %al; clac; ret");
CODE(store_lifted, "stac; movb $1, 128(%rdi); clac; ret");

static void prepare(void)
{
	static const u8 end[] = { 0x0f, 0x0b, 'd', 'o', 'n', 'e' };
	*(u8 *)TARGET = 0xc3;
	for (unsigned at = 0; at < sizeof end; at++) ((u8 *)TARGET)[16 + at] = end[at];
}

/* The window leads to the target by a page of a level: 0 of 4 KiB, 1 of 2 MiB, 2 of 1 GiB (from 0 on). All upper entries have `upper`. */
static word map(int level, u64 leaf, u64 upper)
{
	word address = WINDOW;
	pml4[1] = (word)level3 | upper;
	level3[0] = level == 2 ? leaf | LARGE : (word)level2 | upper;
	if (level == 2) address += TARGET;
	level2[0] = level == 1 ? TARGET | leaf | LARGE : (word)level1 | upper;
	level1[0] = TARGET | leaf;
	write_cr3(read_cr3());
	return address;
}

static word outcome(int user, const char *code, word address)
{
	if (user) attempt_user(code, address, 0);
	else attempt(code, address, 0);
	/* The end of user code is in the window itself after a jump. */
	if (last.vector == NONE || last.vector == DONE || (last.vector == UD && last.ip == address + 16)) return 0;
	return last.vector == PF ? last.error : 0xf00 + last.vector;
}

static void row(const char *what, word bits, word address)
{
	word r[6] = {
		outcome(0, load, address), outcome(0, store, address), outcome(0, call_it, address),
		outcome(1, user_load, address), outcome(1, user_store, address), outcome(1, user_jump, address),
	};
	say("%s %x: system %x %x %x, user %x %x %x", what, bits, r[0], r[1], r[2], r[3], r[4], r[5]);
}

static void rows(const char *what, int level)
{
	for (int rights = 0; rights < 8; rights++) {
		u64 leaf = P | (rights & 3) << 1 | (rights & 4 ? NX : 0);
		row(what, rights, map(level, leaf, P | W | U));
	}
}

TOPIC(rights, "rights")
{
	prepare();
	rows("4 KiB", 0);
	rows("2 MiB", 1);
	if (offered("pages of 1 GiB", 0x80000001, 3, 26)) rows("1 GiB", 2);
	write_cr0(read_cr0() & ~CR0_WP);
	rows("without WP", 0);
	row("without WP, 2 MiB of nobody", 0, map(1, P, P | W | U));
	reset_processor();
	for (int right = 0; right < 3; right++) {
		u64 upper = P | W | U;
		upper = right == 2 ? upper | NX : upper & ~(W << right);
		row("above", right, map(0, P | W | U, upper));
	}
	row("not there", 0, map(0, W | U, P | W | U));
	wrmsr(EFER, rdmsr(EFER) & ~(u64)EFER_NXE);
	row("without NXE", 0, map(0, P, P | W | U));
	row("without NXE, with NX", 0, map(0, P | W | U | NX, P | W | U));
	reset_processor();
	pml4[1] = 0;
}

TOPIC(supervisor_protection, "smep-smap")
{
	if (!offered("SMEP", 7, 1, 7) || !offered("SMAP", 7, 1, 20)) return;
	prepare();
	write_cr4(read_cr4() | CR4_SMEP);
	rows("SMEP", 0);
	wrmsr(EFER, rdmsr(EFER) & ~(u64)EFER_NXE);
	row("SMEP without NXE", 0, map(0, P | W, P | W | U));
	reset_processor();
	write_cr4(read_cr4() | CR4_SMAP);
	rows("SMAP", 0);
	word address = map(0, P | U | W, P | W | U);
	say("lifted: %x %x", outcome(0, load_lifted, address), outcome(0, store_lifted, address));
	write_cr0(read_cr0() & ~CR0_WP);
	rows("SMAP without WP", 0);
	reset_processor();
	TRY("STAC without SMAP", load_lifted, address, 0);
	pml4[1] = 0;
}

static void marks(const char *what, int level)
{
	u64 leaf = level == 2 ? level3[0] : level == 1 ? level2[0] : level1[0];
	say("%s, level %d: %x %x %x, leaf %x", what, (word)level, pml4[1] & (A | D), level3[0] & (A | D), level2[0] & (A | D), leaf & (A | D));
}

TOPIC(accessed, "accessed-dirty")
{
	prepare();
	int levels = offered("pages of 1 GiB", 0x80000001, 3, 26) ? 3 : 2;
	for (int level = 0; level < levels; level++) {
		word address = map(level, P | W | U, P | W | U);
		marks("mapped", level);
		outcome(0, load, address), marks("loaded", level);
		outcome(0, store, address), marks("stored", level);
		address = map(level, P | W | U, P | W | U);
		outcome(0, call_it, address), marks("executed", level);
		address = map(level, P | W | U, P | W | U);
		outcome(1, user_store, address), marks("stored by a user", level);
		address = map(level, P | U, P | W | U);
		outcome(1, user_store, address), marks("not stored by a user", level);
		write_cr0(read_cr0() & ~CR0_WP);
		outcome(0, store, address), marks("stored without WP", level);
		reset_processor();
	}
	pml4[1] = 0;
}

TOPIC(reserved, "reserved-bits")
{
	prepare();
	word address = map(0, P | W | U, P | W | U);
	level1[0] |= 1ull << 51;
	row("bit 51 of a page", 0, address);
	address = map(0, P | W | U, P | W | U), level2[0] |= 1ull << 51;
	row("bit 51 of a table", 0, address);
	address = map(0, P | W | U, P | W | U), pml4[1] |= LARGE;
	row("a large page of level 4", 0, address);
	address = map(1, P | W | U, P | W | U), level2[0] |= 1 << 13;
	row("bit 13 of 2 MiB", 0, address);
	if (offered("pages of 1 GiB", 0x80000001, 3, 26)) {
		address = map(2, P | W | U, P | W | U), level3[0] |= 1 << 21;
		row("bit 21 of 1 GiB", 0, address);
	}
	address = map(0, W | U, P | W | U), level1[0] |= 1ull << 51;
	row("bit 51 of what is not there", 0, address);
	pml4[1] = 0;
}
