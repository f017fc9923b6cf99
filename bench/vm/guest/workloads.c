/*
 * What is measured: ordinary code, as gcc makes it of C, some 20 to 40 million instructions each. It says a small letter when a workload begins,
 * the same capital letter when it has ended; everything else is the clock's at the other end (markers.ts).
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long word;

extern volatile u32 scale, rounds;

static inline void out(unsigned short port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 in(unsigned short port) { u8 value; __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port)); return value; }

/* To the serial port, and to the port that Bochs prints at once. */
static void say(u8 letter) {
  while (!(in(0x3fd) & 0x20)) {}
  out(0x3f8, letter);
  out(0xe9, letter);
}

static volatile word result;
static u32 numbers[1 << 22];
static u8 marks[1 << 20];

static u32 random_state;
static inline u32 random32(void) { return random_state = random_state * 1664525u + 1013904223u; }

/* Registers alone. */
static void integers(void) {
  word a = 1, b = 2, c = 3;
  for (u32 left = 4000000; left; left--) {
    a += b;
    b ^= a >> 7;
    c = a * 2 + c + 1;
    b -= c;
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
  }
  result = a + b + c;
}

__attribute__((noinline)) static word fibonacci(word n) {
  __asm__ volatile("" : "+r"(n));
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

/* Calls and returns, PUSH and POP. */
static void calls(void) { result = fibonacci(28); }

/* Loads and stores, IMUL and branches that depend on data. */
static void mixed(void) {
  u32 hash = 2166136261u, x = 12345;
  for (u32 left = 2500000; left; left--) {
    x = x * 1664525u + 1013904223u;
    u32 *at = &numbers[(x >> 12) & 0xffff];
    if (x & 0x10000) hash = (hash ^ *at) * 16777619u;
    else *at += hash;
  }
  result = hash;
}

/* Each address comes from the load before, all over 16 MiB. */
static void scattered(void) {
  u32 at = 1;
  for (u32 left = 3000000; left; left--) at = (numbers[at] + at * 1664525u + 1013904223u) & ((1u << 22) - 1);
  result = at;
}

static void sieve(void) {
  u32 found = 0;
  for (u32 i = 0; i < 1 << 20; i++) marks[i] = 1;
  for (u32 i = 2; i < 1 << 20; i++) {
    if (!marks[i]) continue;
    found++;
    for (u32 j = i + i; j < 1 << 20; j += i) marks[j] = 0;
  }
  result = found;
}

static u32 constants[64];

static inline u32 rotated(u32 x, int by) { return x >> by | x << (32 - by); }

static void block(u32 *state, const u32 *message) {
  u32 w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = __builtin_bswap32(message[i]);
  for (int i = 16; i < 64; i++) {
    u32 x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (rotated(x, 7) ^ rotated(x, 18) ^ x >> 3) + w[i - 7] + (rotated(y, 17) ^ rotated(y, 19) ^ y >> 10);
  }
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int i = 0; i < 64; i++) {
    u32 e = s[4], a = s[0];
    u32 first = s[7] + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & s[5]) ^ (~e & s[6])) + constants[i] + w[i];
    u32 second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
    for (int j = 7; j > 0; j--) s[j] = s[j - 1];
    s[4] += first;
    s[0] = first + second;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

/* SHA-256's rounds, with constants that are not its own. */
static void sha256(void) {
  u32 state[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
  for (u32 left = 6000; left; left--) block(state, &numbers[left & 0xfff]);
  result = state[0];
}

static void quicksort(u32 *from, u32 *to) {
  while (from < to) {
    u32 pivot = from[(to - from) / 2], *low = from, *high = to;
    while (low <= high) {
      while (*low < pivot) low++;
      while (*high > pivot) high--;
      if (low > high) break;
      u32 kept = *low;
      *low++ = *high;
      *high-- = kept;
    }
    quicksort(from, high);
    from = low;
  }
}

static void sort(void) {
  random_state = 1;
  for (u32 i = 0; i < 1 << 16; i++) numbers[i] = random32();
  quicksort(numbers, numbers + (1 << 16) - 1);
  result = numbers[1 << 15];
}

static void (*const workloads[])(void) = { integers, calls, mixed, scattered, sieve, sha256, sort };

void guest(void) {
  /* Memory that nobody has written to may be one page of zeros everywhere. */
  for (u32 i = 0; rounds && i < sizeof numbers / sizeof *numbers; i++) numbers[i] = i * 0x9e3779b9u;
  for (u32 i = 0; i < 64; i++) constants[i] = i * 0x9e3779b9u;
  say(1);
  for (u32 round = 0; round < rounds; round++) {
    for (u32 i = 0; i < sizeof workloads / sizeof *workloads; i++) {
      say('a' + i);
      for (u32 time = 0; time < scale; time++) workloads[i]();
      say('A' + i);
    }
  }
  say(4);
}
