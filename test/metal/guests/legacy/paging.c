/* Tables of two levels and of three (PAE): rights, large pages, marks, reserved bits. */
#include "../metal.h"

enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, LARGE = 0x80 };
#define NX (1ull << 63)
#define WINDOW 0x80000000ul
#define TARGET 0x2000000ul
static u32 directory[1024] __attribute__((aligned(4096))), table[1024] __attribute__((aligned(4096)));
static u64 pointers[4] __attribute__((aligned(32))), wide_directories[4][512] __attribute__((aligned(4096))), wide_table[512] __attribute__((aligned(4096)));

CODE(load, "mov 128(%edi), %al; ret");
CODE(store, "movb $1, 128(%edi); ret");
CODE(call_it, "jmp *%edi");
CODE(user_load, "mov 128(%edi), %al" END);
CODE(user_store, "movb $1, 128(%edi)" END);
CODE(user_jump, "add $16, %edi; jmp *%edi");

static void prepare(void)
{
	static const u8 end[] = { 0x0f, 0x0b, 'd', 'o', 'n', 'e' };
	*(u8 *)TARGET = 0xc3;
	for (unsigned at = 0; at < sizeof end; at++) ((u8 *)TARGET)[16 + at] = end[at];
	for (word at = 0; at < 16; at++) directory[at] = at << 22 | P | W | U | LARGE;
	for (word at = 0; at < 32; at++) wide_directories[0][at] = at << 21 | P | W | U | LARGE;
	for (int at = 0; at < 4; at++) pointers[at] = (word)wide_directories[at] | P;
}

static word outcome(int user, const char *code, word address)
{
	if (user) attempt_user(code, address, 0);
	else attempt(code, address, 0);
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

static void map(int large, u32 leaf, u32 upper)
{
	directory[WINDOW >> 22] = large ? TARGET | leaf | LARGE : (word)table | upper;
	table[0] = TARGET | leaf;
	write_cr3((word)directory);
}

static void rows(const char *what, int large)
{
	for (int rights = 0; rights < 4; rights++) map(large, P | rights << 1, P | W | U), row(what, rights, WINDOW);
}

TOPIC(two_levels, "paging-32")
{
	prepare();
	write_cr4(CR4_PSE), write_cr3((word)directory), write_cr0(read_cr0() | CR0_PG | CR0_WP);
	rows("4 KiB", 0), rows("4 MiB", 1);
	map(0, P | W | U, P | U), row("above without W", 0, WINDOW);
	map(0, P | W | U, P | W), row("above without U", 0, WINDOW);
	map(0, W | U, P | W | U), row("not there", 0, WINDOW);
	map(1, P | W | U | 1 << 21, 0), row("bit 21 of 4 MiB", 0, WINDOW);
	write_cr0(read_cr0() & ~CR0_WP), rows("without WP", 0);
	map(0, P | W | U, P | W | U), outcome(0, load, WINDOW), say("loaded: %x %x", directory[WINDOW >> 22] & (A | D), table[0] & (A | D));
	outcome(0, store, WINDOW), say("stored: %x %x", directory[WINDOW >> 22] & (A | D), table[0] & (A | D));
	map(1, P | W | U, 0), outcome(1, user_load, WINDOW), say("loaded: %x", directory[WINDOW >> 22] & (A | D));
	outcome(1, user_store, WINDOW), say("stored: %x", directory[WINDOW >> 22] & (A | D));
	reset_processor();
}

TOPIC(large_is_ignored, "without-pse")
{
	prepare();
	/* All tables of 4 KiB: bit 7 of a directory means nothing. */
	static u32 low[16][1024] __attribute__((aligned(4096)));
	for (word at = 0; at < 16 * 1024; at++) low[at >> 10][at & 1023] = at << 12 | P | W | U;
	for (word at = 0; at < 16; at++) directory[at] = (word)low[at] | P | W | U | LARGE;
	map(0, P | W | U, P | W | U | LARGE);
	write_cr0(read_cr0() | CR0_PG | CR0_WP);
	row("4 KiB", 0, WINDOW);
	reset_processor();
}

static void map_wide(int large, u64 leaf, u64 upper)
{
	wide_directories[2][0] = large ? TARGET | leaf | LARGE : (word)wide_table | upper;
	wide_table[0] = TARGET | leaf;
	write_cr3((word)pointers);
}

static void wide_rows(const char *what, int large)
{
	for (int rights = 0; rights < 8; rights++) map_wide(large, P | (rights & 3) << 1 | (rights & 4 ? NX : 0), P | W | U), row(what, rights, WINDOW);
}

CODE(to_cr3, "mov %edi, %cr3; ret");

TOPIC(three_levels, "paging-pae")
{
	prepare();
	wrmsr(EFER, EFER_NXE);
	write_cr4(CR4_PAE), write_cr3((word)pointers), write_cr0(read_cr0() | CR0_PG | CR0_WP);
	wide_rows("4 KiB", 0), wide_rows("2 MiB", 1);
	map_wide(0, P | W | U, P | W | U | NX), row("NX above", 0, WINDOW);
	map_wide(0, P | W | U | 1ull << 51, P | W | U), row("bit 51", 0, WINDOW);
	map_wide(0, P | W | U | 1ull << 62, P | W | U), row("bit 62", 0, WINDOW);
	map_wide(1, P | W | U | 1 << 13, 0), row("bit 13 of 2 MiB", 0, WINDOW);
	map_wide(0, P | W | U, P | W | U), outcome(0, store, WINDOW);
	say("stored: %x %x, pointer %x", (word)wide_directories[2][0] & (A | D), (word)wide_table[0] & (A | D), (word)pointers[2] & 0xfff);
	wrmsr(EFER, 0), map_wide(0, P | W | U | NX, P | W | U), row("NX without NXE", 0, WINDOW);
	map_wide(0, P | W | U, P | W | U);
	pointers[3] = 0, write_cr3((word)pointers), row("without a pointer", 0, 0xc0000000);
	reset_processor();
}

/* Not by those that read pointers at each walk. */
TOPIC(pointers_checked, "pae-pointers")
{
	prepare();
	write_cr4(CR4_PAE), write_cr3((word)pointers), write_cr0(read_cr0() | CR0_PG);
	pointers[3] = P | W;
	TRY("a pointer with a reserved bit", to_cr3, (word)pointers, 0);
	pointers[3] = 0;
	TRY("a pointer that is not present", to_cr3, (word)pointers, 0);
	reset_processor();
}
