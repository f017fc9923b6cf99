/* Alignment checks: only a user's, only with AM and AC. */
#include "../metal.h"

CODE(load16, "mov (%rdi), %ax" END);
CODE(load32, "mov (%rdi), %eax" END);
CODE(load64, "mov (%rdi), %rax" END);
CODE(store32, "mov %eax, (%rdi)" END);
CODE(add32, "add %eax, (%rdi)" END);
CODE(push64, "mov %rdi, %rsp; push %rax" END);
CODE(call64, "mov %rdi, %rsp; call 1f; 1: nop" END);
CODE(string, "mov %rdi, %rsi; mov $2, %ecx; cld; rep movsl" END);
CODE(single_string, "mov %rdi, %rsi; cld; lodsq" END);
CODE(x87, "fldl (%rdi)" END);
CODE(aligned_vector, "movaps (%rdi), %xmm0" END);
CODE(set_ac, "pushf; orl $0x40000, (%rsp); popf; mov (%rdi), %eax" END);
CODE(clear_ac, "pushf; andl $~0x40000, (%rsp); popf; mov (%rdi), %eax" END);
CODE(system_load, "pushf; orl $0x40000, (%rsp); popf; mov (%rdi), %eax; ret");

TOPIC(alignment, "alignment")
{
	static u64 data[1024] __attribute__((aligned(4096)));
	word odd = (word)data + 1 + USER;
	user_flags = 2 | FLAG_AC;
	TRY_USER("without AM", load32, odd, 0);
	write_cr0(read_cr0() | CR0_AM);
	TRY_USER("2 bytes", load16, odd, 0);
	TRY_USER("4 bytes", load32, odd, 0);
	TRY_USER("8 bytes", load64, odd, 0);
	TRY_USER("8 bytes at 4", load64, odd + 3, 0);
	TRY_USER("4 bytes at 4", load32, odd + 3, 0);
	TRY_USER("4 bytes at 2", load32, odd + 1, 0);
	TRY_USER("a store", store32, odd, 0);
	TRY_USER("an addition", add32, odd, 0);
	TRY_USER("a push", push64, odd + 64, 0);
	TRY_USER("a call", call64, odd + 64, 0);
	TRY_USER("across pages", load64, (word)data + 4092 + USER, 0);
	TRY_USER("REP MOVSD", string, odd, 0);
	TRY_USER("LODSQ", single_string, odd, 0);
	TRY_USER("x87", x87, odd, 0);
	TRY_USER("x87 at 4", x87, odd + 3, 0);
	TRY_USER("MOVAPS", aligned_vector, odd, 0);
	TRY_USER("where nothing is", load32, 0x8000000001, 0);
	TRY_USER("where no address is", load32, 0x800000000001, 0);
	TRY_USER("AC cleared", clear_ac, odd, 0);
	user_flags = 2;
	TRY_USER("without AC", load32, odd, 0);
	TRY_USER("AC set", set_ac, odd, 0);
	TRY_USER("once more without AC", load32, odd, 0);
	TRY("by the system", system_load, odd, 0);
}
