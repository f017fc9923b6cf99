/*
 * The guest of silicon.ts: at ring 3 it walks the cases of a batch, runs each one's code with its registers, and writes down what
 * became of it. Ring 0 is only entered by exceptions. The numbers in capitals come from layout.ts, on the command line.
 *
 * A case:   0 size, 4 patches, 0x10 general registers, 0x90 frame for iretq, 0xb8 fs and gs base, 0x100 XSAVE image, 0x440 patches:
 *           each address, length and bytes, filled up to 8.
 * A result: 0 size, 4 changes, 8 outcome, 0x10 general registers, 0x90 rip, 0x98 rflags, 0xa0 vector, 0xa8 error code, 0xb0 cr2,
 *           0xb8 fs and gs base, 0x100 XSAVE image, 0x440 changes: each address and what is there now, 8 bytes both.
 *
 * What a case sees of its memory is also mapped WRITABLE bytes further on, where the driver may write all of it. SHADOW bytes further
 * is what should be there, BACKGROUND bytes further what was there at first.
 */
#define FRAME (STACK - 0x40)
#define SAVED(n) (DATA + 0x40 + (n) * 8)
#define CURRENT DATA
#define RESULT (DATA + 8)
#define REMAINING (DATA + 16)
#define OUTCOME (DATA + 24)
#define RFLAGS (DATA + 32)

	.intel_syntax noprefix
	.code64
	.text

/* Ring 0: a gate's handler for each vector, 32 bytes long. What it pushes is read at ring 3. */
	.org 0
	.altmacro
	.macro gate vector
	.balign 32
	.if \vector == 14
	push rax
	mov rax, cr2
	xchg rax, [rsp]
	.else
	.if \vector != 8 && (\vector < 10 || \vector > 13) && \vector != 17
	push 0
	.endif
	push 0
	.endif
	push \vector
	jmp leave
	.endm
	.set number, 0
	.rept 32
	gate %number
	.set number, number + 1
	.endr
leave:
	push USER_SS
	push STACK - 0x800
	push 0x202
	push USER_CS
	push offset faulted
	iretq

/* Ring 3 from here on; the next page, as a jump reaches it from there. */
	.org 0x1000
	jmp bell

	.macro keep outcome
	mov [SAVED(0)], rax
	mov [SAVED(1)], rcx
	mov [SAVED(2)], rdx
	mov [SAVED(3)], rbx
	mov [SAVED(4)], rsp
	mov [SAVED(5)], rbp
	mov [SAVED(6)], rsi
	mov [SAVED(7)], rdi
	mov [SAVED(8)], r8
	mov [SAVED(9)], r9
	mov [SAVED(10)], r10
	mov [SAVED(11)], r11
	mov [SAVED(12)], r12
	mov [SAVED(13)], r13
	mov [SAVED(14)], r14
	mov [SAVED(15)], r15
	mov rsp, STACK - 0x800
	pushfq
	pop [RFLAGS]
	push 2
	popfq
	mov dword ptr [OUTCOME], \outcome
	.endm

	.org 0x1010
landing:
	keep 0
	jmp collect
	.org 0x1100
/* The host sends us here when a case takes too long, or when its exit was not to be. */
abandoned:
	keep 2
	jmp collect
faulted:
	keep 1
	mov rax, [FRAME + 0x30]
	mov [SAVED(4)], rax
	mov rax, [FRAME + 0x28]
	mov [RFLAGS], rax

collect:
	mov rdi, [RESULT]
	lea rbx, [rdi + 0x100]
	mov eax, 7
	xor edx, edx
	xsave64 [rbx]
	rdfsbase rax
	mov [rdi + 0xb8], rax
	rdgsbase rax
	mov [rdi + 0xc0], rax
	mov eax, [OUTCOME]
	mov [rdi + 8], rax
	mov rax, [RFLAGS]
	mov [rdi + 0x98], rax
	.set number, 0
	.rept 16
	mov rax, [SAVED(number)]
	mov [rdi + 0x10 + number * 8], rax
	.set number, number + 1
	.endr
	mov rax, [FRAME + 0x18]
	mov [rdi + 0x90], rax
	mov rax, [FRAME]
	mov [rdi + 0xa0], rax
	mov rax, [FRAME + 0x10]
	mov [rdi + 0xa8], rax
	mov rax, [FRAME + 8]
	mov [rdi + 0xb0], rax

/* What has changed in the pages that a case may write: compared with what should be there, written down, put right. */
	lea rdx, [rdi + 0x440]
	.macro scan page
	mov esi, \page + WRITABLE
	call compare
	.endm
	WRITABLE_PAGES
	mov eax, edx
	sub eax, edi
	mov ecx, eax
	sub eax, 0x440
	shr eax, 4
	mov [rdi + 4], eax
	add ecx, 63
	and ecx, -64
	mov [rdi], ecx
	add [RESULT], rcx

/* The case's own memory becomes background again. */
	mov rbp, [CURRENT]
	mov ebx, [rbp + 4]
	lea rdx, [rbp + 0x440]
1:	test ebx, ebx
	jz 2f
	mov r8d, [rdx]
	mov r9d, [rdx + 4]
	lea rsi, [r8 + BACKGROUND]
	mov edi, r8d
	mov ecx, r9d
	rep movsb
	lea rsi, [r8 + BACKGROUND]
	lea rdi, [r8 + SHADOW]
	mov ecx, r9d
	rep movsb
	lea rdx, [rdx + r9 + 15]
	and rdx, -8
	dec ebx
	jmp 1b
2:	mov eax, [rbp]
	add [CURRENT], rax
	dec dword ptr [REMAINING]
	cmp qword ptr [RESULT], RESULTS_LIMIT
	ja bell
	cmp dword ptr [REMAINING], 0
	jne next

bell:
	mov dword ptr [DOORBELL], 0
	mov qword ptr [CURRENT], CASES
	mov qword ptr [RESULT], RESULTS

next:
	mov rbp, [CURRENT]
	mov ebx, [rbp + 4]
	lea rsi, [rbp + 0x440]
3:	test ebx, ebx
	jz 4f
	mov r8d, [rsi]
	mov r9d, [rsi + 4]
	add rsi, 8
	mov rdx, rsi
	mov edi, r8d
	mov ecx, r9d
	rep movsb
	mov rsi, rdx
	lea rdi, [r8 + SHADOW]
	mov ecx, r9d
	rep movsb
	add rsi, 7
	and rsi, -8
	dec ebx
	jmp 3b
4:	lea rbx, [rbp + 0x100]
	mov eax, 7
	xor edx, edx
	xrstor64 [rbx]
	mov rax, [rbp + 0xb8]
	wrfsbase rax
	mov rax, [rbp + 0xc0]
	wrgsbase rax
	lea rsp, [rbp + 0x90]
	mov rax, [rsp - 0x80]
	mov rcx, [rsp - 0x78]
	mov rdx, [rsp - 0x70]
	mov rbx, [rsp - 0x68]
	mov rbp, [rsp - 0x58]
	mov rsi, [rsp - 0x50]
	mov rdi, [rsp - 0x48]
	mov r8, [rsp - 0x40]
	mov r9, [rsp - 0x38]
	mov r10, [rsp - 0x30]
	mov r11, [rsp - 0x28]
	mov r12, [rsp - 0x20]
	mov r13, [rsp - 0x18]
	mov r14, [rsp - 0x10]
	mov r15, [rsp - 8]
	iretq

/* One page at rsi; differences are appended at rdx. */
compare:
	mov ecx, 4096 / 128
5:	vmovaps ymm0, [rsi]
	vmovaps ymm1, [rsi + 32]
	vmovaps ymm2, [rsi + 64]
	vmovaps ymm3, [rsi + 96]
	vxorps ymm0, ymm0, [rsi + SHADOW]
	vxorps ymm1, ymm1, [rsi + SHADOW + 32]
	vxorps ymm2, ymm2, [rsi + SHADOW + 64]
	vxorps ymm3, ymm3, [rsi + SHADOW + 96]
	vorps ymm0, ymm0, ymm1
	vorps ymm2, ymm2, ymm3
	vorps ymm0, ymm0, ymm2
	vptest ymm0, ymm0
	jnz 6f
	sub rsi, -128
	dec ecx
	jnz 5b
	ret
6:	mov r8d, 16
7:	mov rax, [rsi]
	mov r9, [rsi + SHADOW]
	cmp rax, r9
	je 8f
	lea r10, [rsi - WRITABLE]
	mov [rdx], r10
	mov [rdx + 8], rax
	mov [rsi], r9
	add rdx, 16
8:	add rsi, 8
	dec r8d
	jnz 7b
	dec ecx
	jnz 5b
	ret
