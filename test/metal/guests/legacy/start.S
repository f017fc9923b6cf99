/* Protected mode of 32 bits without paging: exceptions, attempts and descriptors. */
	.section .note.GNU-stack, "", @progbits
	.section .multiboot, "a"
	.long 0x1badb002, 0, -0x1badb002

	.bss
	.balign 4096
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
command_line: .long 0
recovery: .long 0

	.data
	.balign 16
	.global gdt
gdt:	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
	.skip 27 * 8
gdt_pointer: .word 32 * 8 - 1
	.long gdt
idt_pointer: .word 2047
	.long idt

	.text
	.global start
start:
	cld
	mov $stack_end, %esp
	mov 16(%ebx), %eax
	mov %eax, command_line
	call main

/* The order of descriptors and gates that every topic begins with. */
	.global load_tables
load_tables:
	lgdt gdt_pointer
	lidt idt_pointer
	ljmp $0x08, $1f
1:	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	mov $0x28, %eax
	ltr %ax
	xor %eax, %eax
	lldt %ax
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

/* In the order of struct trap. */
common:
	push %eax
	push %ecx
	push %edx
	push %ebx
	push %ebp
	push %esi
	push %edi
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	push %esp
	cld
	call trapped
	add $4, %esp
	test %eax, %eax
	jz recover
	pop %edi
	pop %esi
	pop %ebp
	pop %ebx
	pop %edx
	pop %ecx
	pop %eax
	add $8, %esp
	iret

/* Where attempts end, from a task that may be another. */
	.global recover
recover:
	mov $0x10, %eax
	mov %eax, %ss
	mov recovery, %esp
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	jmp finish

	.macro save
	push %ebx
	push %ebp
	push %esi
	push %edi
	movl $0x100, last + 7 * 4
	mov %esp, recovery
	.endm

	.global attempt, attempt_user
attempt:
	save
	mov 20(%esp), %eax
	mov 24(%esp), %edi
	mov 28(%esp), %esi
	call *%eax
finish:
	pushl $2
	popf
	pop %edi
	pop %esi
	pop %ebp
	pop %ebx
	ret

attempt_user:
	save
	mov 20(%esp), %eax
	mov 24(%esp), %edi
	mov 28(%esp), %esi
	mov $0x23, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	push $0x23
	push $user_stack_end
	push user_flags
	push $0x1b
	push %eax
	iret
