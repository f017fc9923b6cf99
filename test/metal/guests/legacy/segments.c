/* Segments: limits, expand-down, rights, null; what LAR, LSL, VERR, VERW and ARPL say. */
#include "../metal.h"

CODE(load_by, "mov %edi, %eax; mov %eax, %fs; mov %fs:(%esi), %al; ret");
CODE(load_4_by, "mov %edi, %eax; mov %eax, %fs; mov %fs:(%esi), %eax; ret");
CODE(store_by, "mov %edi, %eax; mov %eax, %fs; movb $1, %fs:(%esi); ret");
CODE(load_ss, "mov %edi, %eax; mov %eax, %ss; ret");
CODE(user_stack_by, "mov %edi, %eax; mov %eax, %ss; mov %esi, %esp; push %eax" END);
CODE(jump_by, "push %edi; push $1f; lret; 1: ljmp $0x08, $2f; 2: ret");
CODE(user_load_by, "mov %edi, %eax; mov %eax, %fs; mov %fs:(%esi), %al" END);
CODE(user_pop, "push %edi; pop %gs" END);

static word slot(u32 base, u32 limit, u32 attributes) { gdt[SCRATCH / 8] = descriptor(base, limit, attributes); return SCRATCH; }
static u8 bytes[8192] __attribute__((aligned(4096)));
#define BASE ((word)bytes)

TOPIC(limits, "limits")
{
	word s = slot(BASE, 0xfff, 0x4093);
	TRY("the last byte", load_by, s, 0xfff);
	TRY("one more", load_by, s, 0x1000);
	TRY("four across the end", load_4_by, s, 0xffd);
	TRY("four to the end", load_4_by, s, 0xffc);
	TRY("the last address", load_by, s, 0xffffffff);
	s = slot(BASE, 0, 0xc093);
	TRY("a limit in pages", load_by, s, 0xfff);
	TRY("a limit in pages, one more", store_by, s, 0x1000);
	s = slot(BASE, 0xfff, 0x4097);
	TRY("expand-down, its limit", load_by, s, 0xfff);
	TRY("expand-down, above it", load_by, s, 0x1000);
	s = slot(BASE, 0xfff, 0x0097);
	TRY("expand-down of 64 KiB, beyond it", load_by, s, 0x10000);
	TRY("expand-down of 64 KiB, its end", load_by, s, 0x1fff);
	s = slot(BASE, 0xfff, 0x40f3) | 3;
	TRY_USER("the stack's limit", user_stack_by, s, 0x1004);
	TRY_USER("within the stack's limit", user_stack_by, s, 0x1000);
	TRY_USER("below the stack", user_stack_by, s, 0);
	s = slot(BASE, 0xfff, 0x00f3) | 3;
	TRY_USER("below a stack of 64 KiB", user_stack_by, s, 0x20000);
}

TOPIC(kinds, "segments")
{
	TRY("null", load_by, 0, 0);
	TRY("null of level 3", load_by, 3, 0);
	TRY("read-only, read", load_by, slot(BASE, 0xfff, 0x4091), 0);
	TRY("read-only, written", store_by, slot(BASE, 0xfff, 0x4091), 0);
	TRY("code, read", load_by, slot(BASE, 0xfff, 0x409b), 0);
	TRY("code, written", store_by, slot(BASE, 0xfff, 0x409b), 0);
	TRY("code that is not readable", load_by, slot(BASE, 0xfff, 0x4099), 0);
	TRY("a task", load_by, TASK, 0);
	TRY("not present", load_by, slot(BASE, 0xfff, 0x4013), 0);
	TRY("behind the table", load_by, 0x100, 0);
	TRY("in no LDT", load_by, 4, 0);
	TRY("SS null", load_ss, 0, 0);
	TRY("SS read-only", load_ss, slot(0, 0xfffff, 0xc091), 0);
	TRY("SS code", load_ss, CODE32, 0);
	TRY("SS of level 3", load_ss, USER_DATA, 0);
	TRY("SS with RPL 3", load_ss, DATA | 3, 0);
	TRY("SS not present", load_ss, slot(0, 0xfffff, 0xc013), 0);
	slot(BASE, 0xfff, 0x4092), attempt(load_by, SCRATCH, 0);
	say("accessed: %x", (word)(gdt[SCRATCH / 8] >> 40 & 0xff));
	TRY_USER("by a user", user_load_by, USER_DATA, BASE);
	TRY_USER("level 0 by a user", user_load_by, DATA, BASE);
	TRY_USER("level 3 with RPL 0 by a user", user_load_by, USER_DATA & ~3, BASE);
	TRY_USER("conforming code of level 0 by a user", user_load_by, slot(BASE, 0xfff, 0x409f), 0);
	TRY_USER("null by a user", user_pop, 0, 0);
	TRY("CS of data", jump_by, DATA, 0);
	TRY("CS of level 3", jump_by, slot(0, 0xfffff, 0xc0fb), 0);
	TRY("CS not present", jump_by, slot(0, 0xfffff, 0xc01b), 0);
	TRY("CS conforming", jump_by, slot(0, 0xfffff, 0xc09f), 0);
	TRY("CS too short", jump_by, slot(0, 0xfff, 0x409b), 0);
	TRY("CS null", jump_by, 0, 0);
	static u64 local[2];
	local[1] = descriptor(BASE, 0xfff, 0x4093);
	gdt[SCRATCH / 8] = descriptor((word)local, 15, 0x82);
	asm volatile("lldt %w0" :: "r"((word)SCRATCH));
	TRY("in an LDT", load_by, 0xc, 0);
	TRY("behind an LDT", load_by, 0x14, 0);
	reset_processor();
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
static word adjust(word first, word second)
{
	u8 raised;
	asm("arpl %w2, %w0; setz %1" : "+r"(first), "=q"(raised) : "r"(second));
	return first << 4 | raised;
}

CODE(user_lar, "lar %edi, %eax; setz %cl; lsl %edi, %ebx; setz %ch; movzwl %cx, %ecx" END);

TOPIC(asking, "asking-32")
{
	for (int type = 0; type < 32; type++) {
		slot(0, 0x12345, 0x80 | type);
		say("type %x: LAR %x LSL %x VERR %d VERW %d", (word)type, ask_lar(SCRATCH), ask_lsl(SCRATCH), ask_verr(SCRATCH), ask_verw(SCRATCH));
	}
	say("RPL 3: %x %x %d %d", ask_lar(DATA | 3), ask_lsl(DATA | 3), ask_verr(DATA | 3), ask_verw(DATA | 3));
	say("null: %x %x %d %d", ask_lar(0), ask_lsl(0), ask_verr(0), ask_verw(0));
	say("ARPL: %x %x %x %x", adjust(0x10, 0x23), adjust(0x13, 0x20), adjust(0x11, 0x11), adjust(0x10, 1));
	attempt_user(user_lar, DATA, 0), say("level 0 by a user: %x", last.cx);
	attempt_user(user_lar, USER_DATA, 0), say("level 3 by a user: %x", last.cx);
	slot(0, 0xfffff, 0xc09f), attempt_user(user_lar, SCRATCH, 0), say("conforming by a user: %x", last.cx);
}
