/* From multiboot's 32-bit mode to 64-bit mode; exceptions, attempts and descriptors of 64-bit mode. */
	.section .multiboot, "a"
	.long 0x1badb002, 0, -0x1badb002

	.bss
	.balign 4096
	.global pml4, pdpt, pd, pd_user, pd_top
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4096
pd_user: .skip 4096
pd_top:	.skip 4096
	.global stack_end, trap_stack_end, user_stack_end, idt, task
	.skip 16384
stack_end:
	.skip 16384
trap_stack_end:
	.skip 16384
user_stack_end:
idt:	.skip 4096
task:	.skip 256 + 8192
	.global command_line
command_line: .quad 0
recovery: .quad 0

	.data
	.balign 16
	.global gdt
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff
	.skip 25 * 8
gdt_pointer: .word 32 * 8 - 1
	.quad gdt
idt_pointer: .word 4095
	.quad idt

	.text
	.code32
	.global start
start:
	cld
	mov $stack_end, %esp
	mov 16(%ebx), %eax
	mov %eax, command_line
	/* The first gigabyte is mapped one to one for the system, and again at 1 GiB for users; the fourth one for the local APIC. */
	movl $pdpt + 7, pml4
	movl $pd + 7, pdpt
	movl $pd_user + 7, pdpt + 8
	movl $pd_top + 7, pdpt + 24
	xor %ecx, %ecx
	mov $0xe3, %eax
1:	mov %eax, pd(,%ecx,8)
	mov %eax, pd_user(,%ecx,8)
	orl $4, pd_user(,%ecx,8)
	mov %eax, pd_top(,%ecx,8)
	orl $0xc0000000, pd_top(,%ecx,8)
	add $0x200000, %eax
	inc %ecx
	cmp $512, %ecx
	jne 1b
	mov $pml4, %eax
	mov %eax, %cr3
	mov $0x20, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x900, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80010033, %eax
	mov %eax, %cr0
	lgdt gdt_pointer
	ljmp $0x08, $long_start
	.code64
long_start:
	mov $0x10, %eax
	mov %eax, %ss
	mov $stack_end, %rsp
	call main

/* The order of descriptors, control registers and gates that every topic begins with. */
	.global load_tables
load_tables:
	lgdt gdt_pointer
	lidt idt_pointer
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	mov $0x38, %eax
	ltr %ax
	ret

	.balign 16
	.global vectors
vectors:
	.set vector, 0
	.rept 256
	.balign 16
	.if vector != 8 && (vector < 10 || vector > 14) && vector != 17
	push $0
	.endif
	push $vector
	jmp common
	.set vector, vector + 1
	.endr

common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	cld
	call trapped
	mov %rbx, %rsp
	test %eax, %eax
	jz recover
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

recover:
	mov $0x10, %eax
	mov %eax, %ss
	mov recovery, %rsp
	mov %eax, %ds
	mov %eax, %es
	jmp finish

	.macro save
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	movq $0x100, last + 15 * 8
	mov %rsp, recovery
	.endm

	.global attempt, attempt_user
attempt:
	save
	sub $8, %rsp
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	call *%rax
	add $8, %rsp
finish:
	push $2
	popfq
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

attempt_user:
	save
	mov $0x2b, %eax
	mov %eax, %ds
	mov %eax, %es
	push $0x2b
	push $user_stack_end + 0x40000000
	push user_flags
	push $0x33
	add $0x40000000, %rdi
	push %rdi
	mov %rsi, %rdi
	mov %rdx, %rsi
	iretq
	.section .note.GNU-stack, "", @progbits
