/* What the guests share: registers, a log on the serial port, and attempts that an exception ends. Words are as wide as registers. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned long word;

enum vector { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, XM, DONE = 0x30, NONE = 0x100 };

/* What was on the stack behind an exception, and the registers that tell more of it. */
struct trap {
#ifdef __x86_64__
	word r15, r14, r13, r12, r11, r10, r9, r8;
#endif
	word di, si, bp, bx, dx, cx, ax;
	word vector, error, ip, cs, flags, sp, ss;
};
extern struct trap last;
extern word last_cr2, last_dr6;

/* What pieces of assembly find goes here. */
extern u32 seen_there[16];

/* Sees each exception first; what it gives true for goes on with the registers as it leaves them. */
extern int (*on_trap)(struct trap *);

/*
 * Calls code; an exception in it ends it and is in `last`, whose vector is NONE without one. In user mode, where it runs USER bytes further on
 * with user_flags, it ends with END, which makes the vector DONE.
 */
#define END "; ud2; .ascii \"done\";"
void attempt(const void *code, word a, word b);
void attempt_user(const void *code, word a, word b);
extern word user_flags;

/* %x hexadecimal, %d decimal, %s text; words all of them. */
void say(const char *format, ...);
/* What the last attempt was ended by, with the place in the code if it is given. */
void tell(const char *what, const void *code);

struct topic {
	const char *name;
	void (*run)(void);
	int alone;
};
/* Topics that a machine does not survive are run when they are asked for by name. */
#define TOPIC(id, text) DEFINE_TOPIC(id, text, 0)
#define LAST_TOPIC(id, text) DEFINE_TOPIC(id, text, 1)
#define DEFINE_TOPIC(id, text, alone) \
	static void id(void); \
	static const struct topic id##_topic = { text, id, alone }; \
	static const struct topic *const id##_place __attribute__((section("topics"), used)) = &id##_topic; \
	static void id(void)

/* A piece of assembly that attempts run. */
#define CODE(name, text) \
	asm(".pushsection .text; .balign 16; " #name ": " text "; .popsection"); \
	extern const char name[]

/* Whether CPUID offers a feature: leaf, register (0 EAX to 3 EDX), bit. Says so if not. */
int offered(const char *name, u32 leaf, int reg, int bit);

/* All general registers and flags are as an attempt wants them; what topics change of the rest, they bring back by this. */
void reset_processor(void);

/* Selectors of the descriptors; those from SCRATCH on are the topics', eight of them. */
#ifdef __x86_64__
enum { CODE64 = 0x08, DATA = 0x10, CODE32 = 0x18, USER_CODE32 = 0x23, USER_DATA = 0x2b, USER_CODE64 = 0x33, TASK = 0x38, SCRATCH = 0x48 };
#define USER 0x40000000ul
#else
enum { CODE32 = 0x08, DATA = 0x10, USER_CODE32 = 0x1b, USER_DATA = 0x23, TASK = 0x28, SCRATCH = 0x30 };
#define USER 0ul
#endif
extern u64 gdt[32];
extern u64 idt[512];
extern u32 task[64 + 2048];
extern u8 stack_end[], trap_stack_end[], user_stack_end[];

/* A descriptor: attributes as bits 8 to 23 of its upper half, without the limit's. */
u64 descriptor(u32 base, u32 limit, u32 attributes);
/* A gate of the interrupt table, by its type and level: 0x8e00 an interrupt gate of level 0. */
void set_gate(int vector, word target, u16 selector, u16 type);
extern int gates_changed;
extern char vectors[];
/* Makes an attempt and tells of it. */
#define TRY(what, code, a, b) (attempt(code, a, b), tell(what, code))
#define TRY_USER(what, code, a, b) (attempt_user(code, a, b), tell(what, code))

#define READER(name, instruction) static inline word name(void) { word value; asm volatile(instruction : "=r"(value) :: "memory"); return value; }
#define WRITER(name, instruction) static inline void name(word value) { asm volatile(instruction :: "r"(value) : "memory"); }
READER(read_cr0, "mov %%cr0, %0") WRITER(write_cr0, "mov %0, %%cr0")
READER(read_cr2, "mov %%cr2, %0") WRITER(write_cr2, "mov %0, %%cr2")
READER(read_cr3, "mov %%cr3, %0") WRITER(write_cr3, "mov %0, %%cr3")
READER(read_cr4, "mov %%cr4, %0") WRITER(write_cr4, "mov %0, %%cr4")
WRITER(write_dr0, "mov %0, %%dr0") WRITER(write_dr1, "mov %0, %%dr1") WRITER(write_dr2, "mov %0, %%dr2") WRITER(write_dr3, "mov %0, %%dr3")
READER(read_dr6, "mov %%dr6, %0") WRITER(write_dr6, "mov %0, %%dr6")
READER(read_dr7, "mov %%dr7, %0") WRITER(write_dr7, "mov %0, %%dr7")

static inline void invlpg(word address) { asm volatile("invlpg (%0)" :: "r"(address) : "memory"); }
static inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" :: "a"(value), "Nd"(port)); }
static inline u8 in8(u16 port) { u8 value; asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }
static inline u64 rdmsr(u32 number) { u32 low, high; asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number)); return low | (u64)high << 32; }
static inline void wrmsr(u32 number, u64 value) { asm volatile("wrmsr" :: "c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory"); }
static inline void cpuid(u32 leaf, u32 subleaf, u32 *r) { asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(subleaf)); }

enum { CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 16, CR0_NE = 32, CR0_WP = 1 << 16, CR0_AM = 1 << 18 };
#define CR0_PG (1ul << 31)
enum {
	CR4_VME = 1, CR4_PVI = 2, CR4_TSD = 4, CR4_DE = 8, CR4_PSE = 16, CR4_PAE = 32, CR4_PGE = 1 << 7, CR4_OSFXSR = 1 << 9, CR4_UMIP = 1 << 11,
	CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21
};
enum {
	FLAG_CF = 1, FLAG_ZF = 1 << 6, FLAG_TF = 1 << 8, FLAG_IF = 1 << 9, FLAG_NT = 1 << 14, FLAG_RF = 1 << 16, FLAG_VM = 1 << 17, FLAG_AC = 1 << 18,
	FLAG_VIF = 1 << 19, FLAG_VIP = 1 << 20
};
enum {
	EFER = 0xc0000080, STAR = 0xc0000081, LSTAR = 0xc0000082, CSTAR = 0xc0000083, SFMASK = 0xc0000084,
	FS_BASE = 0xc0000100, GS_BASE = 0xc0000101, KERNEL_GS_BASE = 0xc0000102
};
enum { SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176 };
enum { EFER_SCE = 1, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };
