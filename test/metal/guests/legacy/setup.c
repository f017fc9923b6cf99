#include "../metal.h"

void load_tables(void);

void reset_processor(void)
{
	on_trap = 0;
	user_flags = 2;
	write_cr0(CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(0);
	write_dr7(0x400);
	write_dr6(0xffff0ff0);
	if (gates_changed) for (int vector = 0; vector < 256; vector++) set_gate(vector, (word)vectors + 16 * vector, CODE32, vector == BP ? 0xee00 : 0x8e00);
	gates_changed = 0;
	task[1] = (word)trap_stack_end, task[2] = DATA;
	task[25] = 0x680000;
	gdt[TASK / 8] = descriptor((word)task, 0x67, 0x89);
	load_tables();
	wrmsr(EFER, 0);
}
