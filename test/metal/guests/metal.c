/* The log, the exceptions, and the loop over the topics that the command line names. */
#include "metal.h"

enum { SERIAL = 0x3f8, DEBUG_EXIT = 0xf4 };

struct trap last;
word last_cr2, last_dr6;
int (*on_trap)(struct trap *);
word user_flags = 2;
u32 seen_there[16];
extern const char *command_line;
extern const struct topic *const __start_topics[], *const __stop_topics[];

static const char *subject;

static void put(char letter) { out8(SERIAL, letter); }
static void put_text(const char *text) { while (*text) put(*text++); }

static void put_number(word value, word base)
{
	char digits[24], *at = digits + sizeof digits;
	*--at = 0;
	do *--at = "0123456789abcdef"[value % base]; while (value /= base);
	put_text(at);
}

static void put_format(const char *format, __builtin_va_list arguments)
{
	for (; *format; format++) {
		if (*format != '%') { put(*format); continue; }
		switch (*++format) {
		case 's': put_text(__builtin_va_arg(arguments, const char *)); break;
		case 'd': put_number(__builtin_va_arg(arguments, word), 10); break;
		default: put_number(__builtin_va_arg(arguments, word), 16);
		}
	}
}

void say(const char *format, ...)
{
	__builtin_va_list arguments;
	__builtin_va_start(arguments, format);
	put_text(subject);
	put_text(": ");
	put_format(format, arguments);
	put('\n');
	__builtin_va_end(arguments);
}

static const char *const names[] = {
	"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "9", "#TS", "#NP", "#SS", "#GP", "#PF", "15", "#MF", "#AC", "#MC", "#XM"
};

static int has_error(word vector) { return vector < 32 && (1u << vector & (1 << DF | 1 << TS | 1 << NP | 1 << SS | 1 << GP | 1 << PF | 1 << AC)); }

void tell(const char *what, const void *code)
{
	put_text(subject);
	put_text(": ");
	put_text(what);
	put_text(": ");
	if (last.vector == NONE || last.vector == DONE) put_text("done");
	else if (last.vector < sizeof names / sizeof *names) put_text(names[last.vector]);
	else { put_text("vector "); put_number(last.vector, 16); }
	if (has_error(last.vector)) { put('('); put_number(last.error, 16); put(')'); }
	if (code && last.vector != NONE && last.vector != DONE) {
		word at = last.ip - (word)code;
		put_text(" +");
		put_number(last.cs & 3 ? at - USER : at, 10);
	}
	if (last.vector == PF) { put_text(" cr2 "); put_number(last_cr2, 16); }
	put('\n');
}

/* Whether it is the mark that code in user mode ends with. */
static int is_end(const struct trap *trap)
{
	word at = trap->cs & 3 ? trap->ip - USER : trap->ip;
	if (trap->vector != UD || at < 0x100000 || at > 0x2000000) return 0;
	return *(u32 *)(at + 2) == 0x656e6f64;
}

int trapped(struct trap *trap)
{
	if (trap->vector == PF) last_cr2 = read_cr2();
	if (trap->vector == DB) last_dr6 = read_dr6();
	if (on_trap && on_trap(trap)) return 1;
	last = *trap;
	/* Engines differ in RF; the topic of debugging looks at it. */
	last.flags &= ~FLAG_RF;
	if (is_end(trap)) last.vector = DONE;
	return 0;
}

int offered(const char *name, u32 leaf, int reg, int bit)
{
	u32 r[4];
	cpuid(leaf, 0, r);
	if (r[reg] >> bit & 1) return 1;
	say("without %s", name);
	return 0;
}

u64 descriptor(u32 base, u32 limit, u32 attributes)
{
	u32 high = (base & 0xff000000) | (base >> 16 & 0xff) | (attributes & 0xf0ff) << 8 | (limit & 0xf0000);
	return (u64)high << 32 | (base << 16 | (limit & 0xffff));
}

int gates_changed = 1;

void set_gate(int vector, word target, u16 selector, u16 type)
{
	gates_changed = 1;
	u64 gate = (target & 0xffff) | (u64)selector << 16 | (u64)type << 32 | (u64)(target >> 16 & 0xffff) << 48;
#ifdef __x86_64__
	idt[2 * vector] = gate;
	idt[2 * vector + 1] = target >> 32;
#else
	idt[vector] = gate;
#endif
}

/* Whether it is a word of the command line. */
static int asked(const char *name)
{
	for (const char *at = command_line; *at; ) {
		const char *letter = name;
		while (*letter && *at == *letter) at++, letter++;
		if (!*letter && (*at == ' ' || !*at)) return 1;
		while (*at && *at != ' ') at++;
		while (*at == ' ') at++;
	}
	return 0;
}

void main(void)
{
	/* Firmware may have left a timer running. */
	out8(0x21, 0xff), out8(0xa1, 0xff);
	for (const struct topic *const *place = __start_topics; place < __stop_topics; place++) {
		const struct topic *topic = *place;
		subject = topic->name;
		if ((topic->alone || !asked("all")) && !asked(topic->name)) continue;
		reset_processor();
		topic->run();
		subject = "end";
		say("%s", topic->name);
	}
	out8(DEBUG_EXIT, 0);
	for (;;) asm volatile("cli; hlt");
}
