/* The little that a program without a C library needs on x86-64 Linux. */
#ifndef DELOS_SYSCALL_H
#define DELOS_SYSCALL_H

#include <asm/unistd.h>

static long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
	long result;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#define call0(n) syscall6(n, 0, 0, 0, 0, 0, 0)
#define call1(n, a) syscall6(n, (long)(a), 0, 0, 0, 0, 0)
#define call2(n, a, b) syscall6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define call3(n, a, b, c) syscall6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define call4(n, a, b, c, d) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define call5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define call6(n, a, b, c, d, e, f) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* The kernel enters with argc, argv, 0, envp, 0 on the stack; hand its address to start(). */
#define ENTRY(start)                                                                                                           \
	__asm__(".globl _start\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall " #start "\n\thlt\n")

#endif
