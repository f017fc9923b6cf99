// silicon OPERATION: what this processor makes of an SSE or x87 instruction. Records of `struct question` on the standard input are answered
// by records of `struct answer` on the standard output. The names of operations are those of the software's exports.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

struct question {
  uint64_t a[2], b[2];
  uint32_t control;  // MXCSR or x87 control word
  uint32_t immediate;
};

struct answer {
  uint64_t first[2], second[2];
  uint32_t flags;  // of MXCSR, or x87's status word
  uint32_t trapped;
};

static const struct question *q;
static struct answer *r;
static sigjmp_buf again;
static void (*run)(void);

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  r->flags = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr & 63;
  r->trapped = 1;
  siglongjmp(again, 1);
}

#define SSE_BEGIN uint32_t idle = 0x1f80, after = q->control; __asm__ volatile("ldmxcsr %0" : : "m"(q->control));
#define SSE_END __asm__ volatile("stmxcsr %0; ldmxcsr %1" : "=m"(after) : "m"(idle)); r->flags = after & 63;

#define SSE_BINARY(name, type, instruction) static void name(void) { \
  type a, b; memcpy(&a, q->a, sizeof a); memcpy(&b, q->b, sizeof b); SSE_BEGIN \
  __asm__ volatile(instruction " %1, %0" : "+x"(a) : "x"(b)); SSE_END memcpy(r->first, &a, sizeof a); }
#define SSE_UNARY(name, from, to, in, out, instruction) static void name(void) { \
  from a; to b; memset(&b, 0, sizeof b); memcpy(&a, q->a, sizeof a); SSE_BEGIN \
  __asm__ volatile(instruction " %1, %0" : "+" out(b) : in(a)); SSE_END memcpy(r->first, &b, sizeof b); }
#define SSE_BOTH(name, ss) SSE_BINARY(name##F32, float, ss "ss") SSE_BINARY(name##F64, double, ss "sd")

SSE_BOTH(add, "add")
SSE_BOTH(subtract, "sub")
SSE_BOTH(multiply, "mul")
SSE_BOTH(divide, "div")
SSE_BOTH(minimum, "min")
SSE_BOTH(maximum, "max")
SSE_UNARY(squareRootF32, float, float, "x", "x", "sqrtss")
SSE_UNARY(squareRootF64, double, double, "x", "x", "sqrtsd")
SSE_UNARY(reciprocalF32, float, float, "x", "x", "rcpss")
SSE_UNARY(reciprocalRootF32, float, float, "x", "x", "rsqrtss")
SSE_UNARY(f32ToF64, float, double, "x", "x", "cvtss2sd")
SSE_UNARY(f64ToF32, double, float, "x", "x", "cvtsd2ss")
SSE_UNARY(f32ToI32, float, int32_t, "x", "r", "cvtss2si")
SSE_UNARY(f32ToI64, float, int64_t, "x", "r", "cvtss2si")
SSE_UNARY(f64ToI32, double, int32_t, "x", "r", "cvtsd2si")
SSE_UNARY(f64ToI64, double, int64_t, "x", "r", "cvtsd2si")
SSE_UNARY(i32ToF32, int32_t, float, "r", "x", "cvtsi2ss")
SSE_UNARY(i64ToF32, int64_t, float, "r", "x", "cvtsi2ss")
SSE_UNARY(i32ToF64, int32_t, double, "r", "x", "cvtsi2sd")
SSE_UNARY(i64ToF64, int64_t, double, "r", "x", "cvtsi2sd")

#define EIGHT(m, n) m(n) m(n + 1) m(n + 2) m(n + 3) m(n + 4) m(n + 5) m(n + 6) m(n + 7)
#define ROUND_CASE(n) case n: __asm__ volatile(ROUND_INSTRUCTION " %2, %1, %0" : "+x"(b) : "x"(a), "i"(n)); break;
#define SSE_ROUND(name, type) static void name(void) { \
  type a, b = 0; memcpy(&a, q->a, sizeof a); SSE_BEGIN \
  switch (q->immediate) { EIGHT(ROUND_CASE, 0) EIGHT(ROUND_CASE, 8) } SSE_END memcpy(r->first, &b, sizeof b); }
#define ROUND_INSTRUCTION "roundss"
SSE_ROUND(roundF32, float)
#undef ROUND_INSTRUCTION
#define ROUND_INSTRUCTION "roundsd"
SSE_ROUND(roundF64, double)

#define COMPARE_CASE(n) case n: __asm__ volatile(COMPARE_INSTRUCTION " %2, %1, %0, %0" : "+x"(a) : "x"(b), "i"(n)); break;
#define SSE_COMPARE(name, type) static void name(void) { \
  type a, b; memcpy(&a, q->a, sizeof a); memcpy(&b, q->b, sizeof b); SSE_BEGIN \
  switch (q->immediate) { EIGHT(COMPARE_CASE, 0) EIGHT(COMPARE_CASE, 8) EIGHT(COMPARE_CASE, 16) EIGHT(COMPARE_CASE, 24) } \
  SSE_END uint8_t byte; memcpy(&byte, &a, 1); r->first[0] = byte & 1; }
#define COMPARE_INSTRUCTION "vcmpss"
SSE_COMPARE(compareF32, float)
#undef COMPARE_INSTRUCTION
#define COMPARE_INSTRUCTION "vcmpsd"
SSE_COMPARE(compareF64, double)

#define SSE_ORDER(name, type, suffix) static void name(void) { \
  type a, b; uint64_t eflags; memcpy(&a, q->a, sizeof a); memcpy(&b, q->b, sizeof b); SSE_BEGIN \
  if (q->immediate) __asm__ volatile("comi" suffix " %2, %1; pushf; pop %0" : "=r"(eflags) : "x"(a), "x"(b)); \
  else __asm__ volatile("ucomi" suffix " %2, %1; pushf; pop %0" : "=r"(eflags) : "x"(a), "x"(b)); \
  SSE_END r->first[0] = eflags & 0x45; }
SSE_ORDER(orderF32, float, "ss")
SSE_ORDER(orderF64, double, "sd")

// x87: the status is read and cleared before anything waits for a pending exception, so an unmasked one never traps here.
struct __attribute__((packed)) tbyte { uint64_t significand; uint16_t exponent; };

static void x87_begin(void) {
  uint16_t control = q->control;
  __asm__ volatile("fninit; fldt %0; fldt %1; fldcw %2" : : "m"(*(const struct tbyte *)q->b), "m"(*(const struct tbyte *)q->a), "m"(control));
}

static void x87_status(void) {
  uint16_t status;
  __asm__ volatile("fnstsw %0; fnclex" : "=m"(status));
  r->flags = status & 0x477f;  // with the stack fault's bit
}

static void x87_end(void) {
  struct tbyte first, second;
  x87_status();
  __asm__ volatile("fstpt %0; fstpt %1; fninit" : "=m"(first), "=m"(second));
  r->first[0] = first.significand, r->first[1] = first.exponent, r->second[0] = second.significand, r->second[1] = second.exponent;
}

// st(0) is a, st(1) is b.
#define X87(name, instruction) static void name(void) { x87_begin(); __asm__ volatile(instruction); x87_end(); }
X87(addF80, "fadd %st(1), %st")
X87(subtractF80, "fsub %st(1), %st")
X87(multiplyF80, "fmul %st(1), %st")
X87(divideF80, "fdiv %st(1), %st")
X87(squareRootF80, "fsqrt")
X87(remainderF80, "fprem")
X87(remainderNearestF80, "fprem1")
X87(scaleF80, "fscale")
X87(extractF80, "fxtract")
X87(roundF80, "frndint")
X87(compareF80, "fcom %st(1)")
X87(compareQuietF80, "fucom %st(1)")
X87(testF80, "ftst")
X87(classifyF80, "fxam")
X87(power2F80, "f2xm1")
X87(yLog2xF80, "fyl2x")
X87(yLog2xPlus1F80, "fyl2xp1")
X87(arctangentF80, "fpatan")
X87(sineF80, "fsin")
X87(cosineF80, "fcos")
X87(tangentF80, "fptan")
X87(sineCosineF80, "fsincos")

#define CONSTANT(n, instruction) case n: __asm__ volatile(instruction); break;
static void constantF80(void) {
  x87_begin();
  switch (q->immediate) {
    CONSTANT(0, "fld1") CONSTANT(1, "fldl2t") CONSTANT(2, "fldl2e") CONSTANT(3, "fldpi") CONSTANT(4, "fldlg2") CONSTANT(5, "fldln2") CONSTANT(6, "fldz")
  }
  x87_end();
}

#define X87_LOAD(name, instruction, type) static void name(void) { \
  x87_begin(); __asm__ volatile(instruction " %0" : : "m"(*(const type *)q->a)); x87_end(); }
X87_LOAD(f32ToF80, "flds", uint32_t)
X87_LOAD(f64ToF80, "fldl", uint64_t)
X87_LOAD(i16ToF80, "filds", int16_t)
X87_LOAD(i32ToF80, "fildl", int32_t)
X87_LOAD(i64ToF80, "fildll", int64_t)
X87_LOAD(bcdToF80, "fbld", struct tbyte)

#define X87_STORE(name, instruction, type) static void name(void) { \
  x87_begin(); __asm__ volatile(instruction " %0" : "+m"(*(type *)r->first)); x87_status(); __asm__ volatile("fninit"); }
X87_STORE(f80ToF32, "fstps", uint32_t)
X87_STORE(f80ToF64, "fstpl", uint64_t)
X87_STORE(f80ToI16, "fistps", int16_t)
X87_STORE(f80ToI32, "fistpl", int32_t)
X87_STORE(f80ToI64, "fistpll", int64_t)
X87_STORE(f80ToBcd, "fbstp", struct tbyte)

#define OPERATION(name) { #name, name },
#define OPERATIONS(name) OPERATION(name##F32) OPERATION(name##F64)
static const struct { const char *name; void (*run)(void); } operations[] = {
  OPERATIONS(add) OPERATIONS(subtract) OPERATIONS(multiply) OPERATIONS(divide) OPERATIONS(minimum) OPERATIONS(maximum) OPERATIONS(squareRoot)
  OPERATIONS(compare) OPERATIONS(order) OPERATIONS(round) OPERATION(reciprocalF32) OPERATION(reciprocalRootF32)
  OPERATION(f32ToF64) OPERATION(f64ToF32) OPERATION(f32ToI32) OPERATION(f32ToI64) OPERATION(f64ToI32) OPERATION(f64ToI64)
  OPERATION(i32ToF32) OPERATION(i64ToF32) OPERATION(i32ToF64) OPERATION(i64ToF64)
  OPERATION(addF80) OPERATION(subtractF80) OPERATION(multiplyF80) OPERATION(divideF80) OPERATION(squareRootF80) OPERATION(remainderF80)
  OPERATION(remainderNearestF80) OPERATION(scaleF80) OPERATION(extractF80) OPERATION(roundF80) OPERATION(compareF80) OPERATION(compareQuietF80)
  OPERATION(testF80) OPERATION(classifyF80) OPERATION(power2F80) OPERATION(yLog2xF80) OPERATION(yLog2xPlus1F80) OPERATION(arctangentF80)
  OPERATION(sineF80) OPERATION(cosineF80) OPERATION(tangentF80) OPERATION(sineCosineF80) OPERATION(constantF80)
  OPERATION(f32ToF80) OPERATION(f64ToF80) OPERATION(i16ToF80) OPERATION(i32ToF80) OPERATION(i64ToF80) OPERATION(bcdToF80)
  OPERATION(f80ToF32) OPERATION(f80ToF64) OPERATION(f80ToI16) OPERATION(f80ToI32) OPERATION(f80ToI64) OPERATION(f80ToBcd)
};

int main(int argc, char **argv) {
  struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
  sigaction(SIGFPE, &action, 0);
  for (size_t at = 0; at < sizeof operations / sizeof *operations; at++) {
    if (argc == 2 && strcmp(argv[1], operations[at].name) == 0) run = operations[at].run;
  }
  if (!run) return fprintf(stderr, "silicon: no such operation\n"), 2;
  static struct question questions[4096];
  static struct answer answers[4096];
  for (size_t count; (count = fread(questions, sizeof *questions, 4096, stdin)) > 0;) {
    memset(answers, 0, sizeof answers);
    for (volatile size_t at = 0; at < count; at++) {
      q = &questions[at], r = &answers[at];
      if (sigsetjmp(again, 0) == 0) run();
    }
    if (fwrite(answers, sizeof *answers, count, stdout) != count) return 1;
  }
  return 0;
}
