/** <asm/signal.h>, <asm-generic/siginfo.h>: signals that are not known by a name of their own, and how a timer sends one. */

/** The first of the real-time signals; the C library keeps the first two for itself. signal(7) */
export const SIGRTMIN = 32;
/** The signal goes to one thread. timer_create(2) */
export const SIGEV_THREAD_ID = 4;
