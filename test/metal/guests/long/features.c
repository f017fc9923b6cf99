/* What CPUID offers is there, and what it does not offer is not. */
#include "../metal.h"

static u64 buffer[128] __attribute__((aligned(64)));

#define FEATURES(each) \
	each("MMX", 1, 3, 23, "paddb %mm0, %mm0; emms") \
	each("FXSR", 1, 3, 24, "fxsave (%rdi)") \
	each("SSE", 1, 3, 25, "addps %xmm0, %xmm0") \
	each("SSE2", 1, 3, 26, "addpd %xmm0, %xmm0") \
	each("SSE3", 1, 2, 0, "addsubps %xmm0, %xmm0") \
	each("PCLMULQDQ", 1, 2, 1, "pclmulqdq $0, %xmm0, %xmm0") \
	each("MONITOR", 1, 2, 3, "mov %rdi, %rax; xor %ecx, %ecx; xor %edx, %edx; monitor") \
	each("SSSE3", 1, 2, 9, "pshufb %xmm0, %xmm0") \
	each("FMA", 1, 2, 12, "vfmadd132ps %xmm0, %xmm0, %xmm0") \
	each("CMPXCHG16B", 1, 2, 13, "cmpxchg16b (%rdi)") \
	each("SSE4.1", 1, 2, 19, "ptest %xmm0, %xmm0") \
	each("SSE4.2", 1, 2, 20, "pcmpgtq %xmm0, %xmm0") \
	each("MOVBE", 1, 2, 22, "movbe (%rdi), %eax") \
	each("POPCNT", 1, 2, 23, "popcnt %eax, %eax") \
	each("AES", 1, 2, 25, "aesenc %xmm0, %xmm0") \
	each("XSAVE", 1, 2, 26, "xor %ecx, %ecx; xgetbv") \
	each("AVX", 1, 2, 28, "vaddps %xmm0, %xmm0, %xmm0") \
	each("F16C", 1, 2, 29, "vcvtph2ps %xmm0, %xmm0") \
	each("RDRAND", 1, 2, 30, "rdrand %eax") \
	each("TSC", 1, 3, 4, "rdtsc") \
	each("CX8", 1, 3, 8, "cmpxchg8b (%rdi)") \
	each("CMOV", 1, 3, 15, "cmovc %eax, %eax") \
	each("CLFLUSH", 1, 3, 19, "clflush (%rdi)") \
	each("FSGSBASE", 7, 1, 0, "rdfsbase %rax") \
	each("AVX2", 7, 1, 5, "vpabsb %ymm0, %ymm0") \
	each("BMI2", 7, 1, 8, "pdep %eax, %eax, %eax") \
	each("INVPCID", 7, 1, 10, "movq $0, (%rdi); mov $2, %eax; invpcid (%rdi), %rax") \
	each("RDSEED", 7, 1, 18, "rdseed %eax") \
	each("SMAP", 7, 1, 20, "clac") \
	each("CLFLUSHOPT", 7, 1, 23, "clflushopt (%rdi)") \
	each("CLWB", 7, 1, 24, "clwb (%rdi)") \
	each("SHA", 7, 1, 29, "sha1nexte %xmm0, %xmm0") \
	each("PKU", 7, 2, 3, "xor %ecx, %ecx; rdpkru") \
	each("RDPID", 7, 2, 22, "rdpid %rax") \
	each("LAHF", 0x80000001, 2, 0, "lahf") \
	each("RDTSCP", 0x80000001, 3, 27, "rdtscp")

#define PIECE(name, leaf, reg, bit, text) \
	asm(".pushsection .text; .balign 16; .set piece_" #reg "_" #bit "_" #leaf ", .; " text "; ret; .popsection"); \
	extern const char piece_##reg##_##bit##_##leaf[];
FEATURES(PIECE)

/* All that has to be switched on for what CPUID offers. */
static u32 supported(void)
{
	u32 r[4], bits = CR4_PAE | CR4_OSFXSR | 1 << 10;
	cpuid(7, 0, r);
	if (r[1] & 1) bits |= CR4_FSGSBASE;
	if (r[1] & 1 << 20) bits |= CR4_SMAP;
	if (r[2] & 1 << 3) bits |= 1 << 22;
	cpuid(1, 0, r);
	if (r[2] & 1 << 26) bits |= 1 << 18;
	return bits;
}

static const char *verdict(int there, int is_offered)
{
	if (there == is_offered) return "as offered";
	return there ? "there and not offered" : "offered and not there";
}

TOPIC(features, "cpuid")
{
	u32 r[4];
	write_cr4(supported() & ~(u32)CR4_SMAP);
	cpuid(1, 0, r);
	if (r[2] & 1 << 28) {
		asm volatile("xsetbv" :: "a"(7), "c"(0), "d"(0));
	}
#define CHECK(name, leaf, reg, bit, text) \
	cpuid(leaf, 0, r); \
	if (leaf == 7 && bit == 20) write_cr4(supported()); \
	attempt(piece_##reg##_##bit##_##leaf, (word)buffer, 0); \
	say("%s: %s", name, verdict(last.vector == NONE, r[reg] >> bit & 1)); \
	write_cr4(supported() & ~(u32)CR4_SMAP);
	FEATURES(CHECK)
	cpuid(0x80000008, 0, r);
	say("address bits: %d, %d", r[0] & 0xff, r[0] >> 8 & 0xff);
}
