#include "../metal.h"

void load_tables(void);

void reset_processor(void)
{
	on_trap = 0;
	user_flags = 2;
	write_dr7(0x400);
	write_dr6(0xffff0ff0);
	/* KVM may take a tenth of a millisecond for an instruction of level 0. An attempt may have spoiled its stack: from #DF to #PF there is another. */
	if (gates_changed) for (int vector = 0; vector < 256; vector++) set_gate(vector, (word)vectors + 16 * vector, CODE64, vector >= DF && vector <= PF
		? 0x8e01 : vector == BP ? 0xee00 : 0x8e00);
	gates_changed = 0;
	*(u64 *)&task[1] = (word)trap_stack_end;
	*(u64 *)&task[9] = (word)trap_stack_end;
	task[25] = 0x680000;
	gdt[TASK / 8] = descriptor((word)task, 0x67, 0x89);
	gdt[TASK / 8 + 1] = 0;
	load_tables();
	write_cr0(CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE);
	write_cr4(CR4_PAE | CR4_OSFXSR);
	wrmsr(EFER, EFER_LME | EFER_LMA | EFER_NXE);
}
