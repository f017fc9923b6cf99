/* Task switches: by JMP, CALL, IRET, a task gate, with their links and busy bits; what is refused; the T bit. */
#include "../metal.h"

/* The other task, and what it found. */
static u32 other[32];
static u8 other_stack[4096] __attribute__((aligned(16)));
static struct { u32 offset; u16 selector; } __attribute__((packed)) pointer = { 0, SCRATCH };

CODE(to_other, "ljmp *(%edi); mov %ebx, %eax; ret");
CODE(call_other, "mov $0x12345678, %ebx; std; lcall *(%edi); cld; mov %ebx, seen_there + 20; ret");
CODE(other_task, "pushf; pop seen_there; mov %cr0, %eax; mov %eax, seen_there + 4; str seen_there + 8; mov %ebx, seen_there + 12;"
	"mov %ds, seen_there + 16; clts; iret; jmp other_task");
CODE(other_task_jumps, "str seen_there; ljmp $0x28, $0");
CODE(other_task_faults, "ud2");
CODE(software, "int $0x41; ret");
CODE(load_tr, "ltr %di; ret");
CODE(divide, "xor %ecx, %ecx; div %ecx; ret");
CODE(divided, "pop %eax; incl seen_there + 24; mov %eax, seen_there + 28; iret");
CODE(return_nested, "pushf; orl $0x4000, (%esp); popf; iret");
void recover(void);

static void make(const char *code, u32 attributes)
{
	for (int at = 0; at < 32; at++) other[at] = 0;
	other[8] = (word)code, other[9] = 2, other[13] = 0xbb, other[14] = (word)other_stack + sizeof other_stack;
	for (int at = 18; at < 24; at++) other[at] = DATA;
	other[19] = CODE32, other[1] = (word)trap_stack_end, other[2] = DATA;
	other[25] = 0x680000;
	gdt[SCRATCH / 8] = descriptor((word)other, 0x67, attributes);
}

static word type_of(int selector) { return gdt[selector / 8] >> 40 & 0xff; }
static void told(void)
{
	say("types %x %x, link %x, flags %x, CR0.TS %x, TR %x, EBX %x, DS %x, back EBX %x", type_of(TASK), type_of(SCRATCH), other[0],
		seen_there[0], seen_there[1] & 8, seen_there[2] & 0xffff, seen_there[3], seen_there[4] & 0xffff, seen_there[5]);
}

TOPIC(tasks, "tasks")
{
	word to = (word)&pointer;
	make(other_task, 0x89);
	TRY("CALL", call_other, to, 0);
	told(), say("flags kept in the old one: %x", (word)task[9] & 0xfd5);
	reset_processor(), make(other_task_jumps, 0x89);
	TRY("JMP there and back", to_other, to, 0);
	say("types %x %x, TR was %x", type_of(TASK), type_of(SCRATCH), seen_there[0] & 0xffff);
	reset_processor(), make(other_task, 0x8b);
	TRY("a busy one", call_other, to, 0);
	make(other_task, 0x09), TRY("not present", call_other, to, 0);
	make(other_task, 0x89), gdt[SCRATCH / 8] = descriptor((word)other, 0x66, 0x89), TRY("too short", call_other, to, 0);
	make(other_task, 0x82), TRY("an LDT", call_other, to, 0);
	make(other_task, 0x8b), TRY("LTR of a busy one", load_tr, SCRATCH, 0);
	make(other_task, 0x09), TRY("LTR of what is not present", load_tr, SCRATCH, 0);
	TRY("LTR of null", load_tr, 0, 0);
	reset_processor(), make(other_task, 0x89);
	gdt[SCRATCH / 8 + 1] = (u64)SCRATCH << 16 | 0x85ull << 40, pointer.selector = SCRATCH + 8;
	TRY("CALL by a task gate", call_other, to, 0), told();
	pointer.selector = SCRATCH;
	reset_processor(), make(other_task, 0x89), set_gate(0x41, 0, SCRATCH, 0x8500);
	TRY("INT by a task gate", software, 0, 0), told();
	reset_processor(), make(divided, 0x89), set_gate(GP, 0, SCRATCH, 0x8500), set_gate(0x41, 0, 0, 0);
	seen_there[6] = 0, task[8] = 0;
	on_trap = 0;
	TRY("IRET with NT to no task", return_nested, 0, 0);
	reset_processor(), make(other_task_faults, 0x89);
	TRY("a fault in it", to_other, to, 0), say("TR %x", type_of(SCRATCH));
}

/* Of faults in a new task: those that leave it a stack for the exception. */
TOPIC(bad_tasks, "bad-tasks")
{
	static const struct { const char *what; int at; u32 value; } wrong[] = { { "DS of a task", 21, TASK }, { "FS behind the table", 22, 0x200 },
		{ "GS in no LDT", 23, 0xc } };
	for (unsigned at = 0; at < sizeof wrong / sizeof *wrong; at++) {
		make(other_task, 0x89), other[wrong[at].at] = wrong[at].value;
		attempt(to_other, (word)&pointer, 0);
		say("%s: vector %x error %x, at +%d of the task, TR %x", wrong[at].what, last.vector, last.error, last.ip - (word)other_task, type_of(SCRATCH));
		reset_processor();
	}
}

static word traps;
static int debug_trap(struct trap *trap)
{
	if (trap->vector != DB) return 0;
	traps++;
	say("#DB at +%d of the task, DR6 %x", trap->ip - (word)other_task, last_dr6);
	write_dr6(0xffff0ff0);
	return 1;
}

TOPIC(task_trap, "task-trap")
{
	make(other_task, 0x89), other[25] |= 1;
	on_trap = debug_trap;
	TRY("CALL", call_other, (word)&pointer, 0);
	on_trap = 0;
	say("traps: %d", traps);
}
