// A guest that only computes: begun in 32-bit protected mode by a multiboot loader (Multiboot Specification 0.6.96) or by disk.S, at its first byte.
// With -DLONG it goes on in 64-bit mode, with pages of 2 MiB for the first GiB.

.section .start, "ax"
.code32
.global start
start:
  jmp go
  // What is measured, and how much of it: the bench writes it (guest.ts).
  .balign 4
.global scale, rounds
scale: .long 1
rounds: .long 1

  // Flag 16: where the file's bytes belong is told here.
multiboot:
  .long 0x1badb002, 0x10000, -(0x1badb002 + 0x10000)
  .long multiboot, start, 0, end, start

go:
  cli
  mov $stack_top, %esp
#ifdef LONG
  mov $directory, %edi
  mov $0x83, %eax
1:
  mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  cmp $directory + 4096, %edi
  jne 1b
  movl $pointers + 3, tables
  movl $directory + 3, pointers
  mov %cr4, %eax
  or $0x20, %eax
  mov %eax, %cr4
  mov $tables, %eax
  mov %eax, %cr3
  mov $0xc0000080, %ecx
  rdmsr
  or $0x100, %eax
  wrmsr
  mov %cr0, %eax
  or $0x80000001, %eax
  mov %eax, %cr0
  lgdt descriptors_pointer
  ljmp $8, $wide
.code64
wide:
  mov $16, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
#endif
  call guest
// Whoever listens ends the machine.
1:
  pause
  jmp 1b

.balign 8
descriptors:
  .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
descriptors_pointer:
  .word 23
  .long descriptors

.bss
.balign 4096
tables: .skip 4096
pointers: .skip 4096
directory: .skip 4096
stack: .skip 65536
stack_top:
