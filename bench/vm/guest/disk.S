// The first sector of a disk, for machines that begin with a BIOS: brings what follows it to its places and begins there in 32-bit protected mode.
// Protected mode is entered once before, so that ES reaches everything while the BIOS still reads.

// What goes where is told at the end of this sector, by the bench (disk.ts).

#define buffer 0x10000
#define chunk 64

.code16
.global start
start:
  cli
  xor %ax, %ax
  mov %ax, %ds
  mov %ax, %ss
  mov $0x7c00, %sp
  mov %dl, drive
  in $0x92, %al
  or $2, %al
  out %al, $0x92
  lgdtl descriptors_pointer
  mov $runs, %bp
run:
  mov (%bp), %edi
read:
  sti
  mov $0x42, %ah
  mov drive, %dl
  mov $packet, %si
  int $0x13
  cli
  jc failed
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  mov $16, %bx
  mov %bx, %es
  and $0xfe, %al
  mov %eax, %cr0
  mov $buffer, %esi
  mov $chunk * 128, %ecx
copy:
  mov %es:(%esi), %eax
  mov %eax, %es:(%edi)
  add $4, %esi
  add $4, %edi
  dec %ecx
  jnz copy
  addl $chunk, sector
  decw 4(%bp)
  jnz read
  add $8, %bp
  cmpw $0, 4(%bp)
  jne run
  mov %cr0, %eax
  or $1, %al
  mov %eax, %cr0
  ljmp $8, $protected
failed:
  mov $0x0e21, %ax
  int $0x10
  hlt
  jmp failed

.code32
protected:
  mov $16, %eax
  mov %eax, %ds
  mov %eax, %es
  mov %eax, %ss
  mov parameter, %esi
  jmp *begin

drive: .byte 0
.balign 4
packet:
  .byte 16, 0
  .word chunk, 0, buffer >> 4
sector: .long 1, 0
.balign 8
descriptors:
  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
descriptors_pointer:
  .word 23
  .long descriptors

// Up to three runs, the address of each and how many times `chunk` sectors it is, then zeros; where to begin, and with what in ESI.
.org 468
runs: .fill 4, 8, 0
begin: .long 0
parameter: .long 0
.org 510
.word 0xaa55
