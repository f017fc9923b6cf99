/* What is forgotten when: INVLPG, CR3, global pages, PCID and INVPCID. Only what has to be seen is told, never what may be. */
#include "../metal.h"

#define WINDOW 0x8000000000ul
#define ADDRESS 0x2000000ul
enum { P = 1, W = 2, U = 4, LARGE = 0x80, G = 0x100 };
extern u64 pml4[512];
static u64 level3[512] __attribute__((aligned(4096))), level2[512] __attribute__((aligned(4096))), level1[512] __attribute__((aligned(4096)));
static u64 other4[512] __attribute__((aligned(4096))), other3[512] __attribute__((aligned(4096))), other2[512] __attribute__((aligned(4096))),
	other1[512] __attribute__((aligned(4096)));
#define volatile_word(address) (*(volatile word *)(address))

/* Pages with their number as content. */
static void prepare(void)
{
	for (word page = 0; page < 16; page++) volatile_word(ADDRESS + page * 0x200000) = page, volatile_word(ADDRESS + page * 4096) = page;
	pml4[1] = (word)level3 | P | W | U, level3[0] = (word)level2 | P | W | U, level2[0] = (word)level1 | P | W | U;
	for (int at = 0; at < 512; at++) other4[at] = pml4[at];
	other4[1] = (word)other3 | P | W | U, other3[0] = (word)other2 | P | W | U, other2[0] = (word)other1 | P | W | U;
	write_cr3((word)pml4);
}

static void point(u64 *table, int page, u64 flags) { table[0] = (ADDRESS + page * 4096) | P | W | flags; }
static word seen(void) { return volatile_word(WINDOW); }

CODE(invalidate, "invlpg (%rdi); ret");
CODE(user_invalidate, "invlpg (%rdi)" END);

TOPIC(invalidation, "invlpg")
{
	prepare();
	point(level1, 1, 0);
	word first = seen();
	point(level1, 2, 0), invlpg(WINDOW);
	say("after INVLPG: %x, %x", first, seen());
	point(level1, 3, 0), write_cr3(read_cr3());
	say("after CR3: %x", seen());
	point(level1, 4, G), write_cr4(read_cr4() | CR4_PGE), first = seen();
	point(level1, 5, G), invlpg(WINDOW);
	say("INVLPG of a global page: %x, %x", first, seen());
	point(level1, 6, G), write_cr4(read_cr4() & ~CR4_PGE);
	say("after PGE was cleared: %x", seen());
	write_cr4(read_cr4() | CR4_PGE), seen(), point(level1, 7, 0), write_cr4(read_cr4() & ~CR4_PGE), write_cr4(read_cr4() | CR4_PGE);
	say("after PGE was cleared and set: %x", seen());
	level2[0] = ADDRESS | P | W | LARGE, invlpg(WINDOW), first = volatile_word(WINDOW + 0x5000);
	level2[0] = (word)level1 | P | W, level1[5] = (ADDRESS + 0x8000) | P, invlpg(WINDOW + 0x123456);
	say("a large page is another one: %x, %x", first, volatile_word(WINDOW + 0x5000));
	level1[0] = 0, invlpg(WINDOW), level1[0] = ADDRESS | P;
	say("present needs no INVLPG: %x", seen());
	TRY("INVLPG of an address that is none", invalidate, 0x800000000000, 0);
	TRY_USER("INVLPG by a user", user_invalidate, WINDOW, 0);
	level1[0] = (ADDRESS + 0x1000) | P, invlpg(WINDOW);
	seen();
	level1[0] |= W;
	volatile_word(WINDOW) = 1;
	say("more rights need no INVLPG: %x", level1[0] & 0x60);
	pml4[1] = 0;
}

CODE(cr4_write, "mov %rdi, %cr4; ret");
CODE(invpcid_of, "invpcid (%rsi), %rdi; ret");
CODE(user_invpcid, "invpcid (%rsi), %rdi" END);

static void invpcid(word type, word pcid, word address)
{
	word descriptor[2] = { pcid, address };
	asm volatile("invpcid (%0), %1" :: "r"(descriptor), "r"(type) : "memory");
}

TOPIC(tags, "pcid")
{
	const word keep = 1ul << 63;
	prepare();
	if (!offered("PCID", 1, 2, 17)) return;
	write_cr3((word)pml4 | 8);
	TRY("PCIDE with a PCID already", cr4_write, read_cr4() | CR4_PCIDE, 0);
	write_cr3((word)pml4);
	TRY("PCIDE", cr4_write, read_cr4() | CR4_PCIDE, 0);
	point(level1, 1, 0), point(other1, 2, 0);
	write_cr3((word)pml4 | 1);
	word first = seen();
	write_cr3((word)other4 | 2);
	word second = seen();
	write_cr3((word)pml4 | 1 | keep);
	word third = seen();
	write_cr3((word)other4 | 2 | keep);
	say("two spaces: %x %x %x %x, CR3 reads %x", first, second, third, seen(), read_cr3() & 0x8000000000000fff);
	point(other1, 3, 0), write_cr3((word)other4 | 2);
	say("a CR3 that does not keep: %x", seen());
	point(other1, 4, 0), invlpg(WINDOW);
	say("INVLPG: %x", seen());
	if (offered("INVPCID", 7, 1, 10)) {
		point(other1, 5, 0), invpcid(0, 2, WINDOW);
		say("one address of this one: %x", seen());
		point(other1, 6, 0), invpcid(1, 2, 0);
		say("all of this one: %x", seen());
		point(level1, 7, 0), invpcid(0, 1, WINDOW), write_cr3((word)pml4 | 1 | keep);
		say("one address of another: %x", seen());
		point(other1, 8, 0), invpcid(1, 2, 0), write_cr3((word)other4 | 2 | keep);
		say("all of another: %x", seen());
		point(other1, 9, G), write_cr4(read_cr4() | CR4_PGE), invpcid(2, 0, 0);
		say("all with global ones: %x", seen());
		point(other1, 10, G), invpcid(2, 0, 0);
		say("all with global ones again: %x", seen());
		point(other1, 11, 0), invpcid(2, 0, 0), seen(), point(other1, 12, 0), invpcid(3, 0, 0);
		say("all without global ones: %x", seen());
		word descriptor[2] = { 0, 0 };
		TRY("type 4", invpcid_of, 4, (word)descriptor);
		descriptor[0] = 0x1000;
		TRY("a PCID of 13 bits", invpcid_of, 1, (word)descriptor);
		descriptor[0] = 1, descriptor[1] = 0x800000000000;
		TRY("an address that is none", invpcid_of, 0, (word)descriptor);
		TRY("an address that is none, of a whole space", invpcid_of, 1, (word)descriptor);
		TRY("a descriptor that is nowhere", invpcid_of, 1, WINDOW + 0x100000);
		TRY_USER("by a user", user_invpcid, 1, (word)descriptor + USER);
	}
	write_cr3((word)pml4);
	reset_processor();
	if (offered("INVPCID", 7, 1, 10)) {
		word descriptor[2] = { 1, 0 };
		TRY("a PCID without PCIDE", invpcid_of, 1, (word)descriptor);
		descriptor[0] = 0;
		TRY("none without PCIDE", invpcid_of, 1, (word)descriptor);
	}
	pml4[1] = 0;
}
