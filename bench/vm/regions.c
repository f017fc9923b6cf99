/* Two loops: on registers alone, and with a read and a write at a random place of 4 MiB. As a program they print nanoseconds for each step. */
#include <stdint.h>

__attribute__((noinline)) uint64_t registers(uint64_t steps) {
  uint64_t a = 1, b = 2, c = 3;
  for (uint64_t i = 0; i < steps; i++) {
    a = a * 6364136223846793005u + i;
    b ^= a >> 29;
    c += b << 3;
    if (c & 1) b += 7;
    a -= c;
  }
  return a ^ b ^ c;
}

__attribute__((noinline)) uint64_t memory(uint64_t steps, uint32_t *words) {
  uint64_t seed = 1;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < steps; i++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    uint32_t at = seed & 0xfffff;
    sum += words[at];
    words[at] = sum;
  }
  return sum;
}

#ifdef GUEST
/* In 64-bit mode with a stack. RDI says which, RSI how many steps. */
__attribute__((section(".start"), naked)) void start(void) {
  __asm__("test %rdi, %rdi\n\t"
          "mov %rsi, %rdi\n\t"
          "mov $0x400000, %esi\n\t"
          "jnz 1f\n\t"
          "call registers\n\t"
          "hlt\n"
          "1: call memory\n\t"
          "hlt");
}
#else
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint32_t words[1 << 20];

int main(int count, char **arguments) {
  uint64_t steps = count > 2 ? strtoull(arguments[2], 0, 10) : 1000000;
  struct timespec from, to;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  uint64_t result = arguments[1][0] == 'r' ? registers(steps) : memory(steps, words);
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
  double ns = (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec);
  printf("%llu %.3f\n", (unsigned long long)result, ns / steps);
}
#endif
