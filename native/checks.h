/*
 * Health checks: from time to time, a command that sees how the container is. When it has ended, the next is due after the usual
 * time, or, if its exit code says that the container still starts, after the other one.
 */
#ifndef DELOS_CHECKS_H
#define DELOS_CHECKS_H

#include <asm/signal.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include "making.h"

#define WORDS 32
#define STILL_STARTING 1
#define NEVER (-1L)

static long check_usual_ms, check_starting_ms; /* 0: none are wanted */
static long check_due = NEVER; /* on the clock below; none while one runs */
static long check_pid;

static long milliseconds(void)
{
	struct moment moment;
	call2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &moment);
	return moment.seconds * 1000 + moment.nanoseconds / 1000000;
}

/* `text`: both times in milliseconds, `30000/5000`; without a number there are no checks. */
static void checks_prepare(const char *text)
{
	check_usual_ms = (long)number_at(text);
	while (*text && *text++ != '/')
		;
	check_starting_ms = (long)number_at(text);
	if (check_usual_ms > 0)
		check_due = milliseconds() + check_starting_ms;
}

/* For poll: how long until the next is due; -1 for ever. */
static int checks_wait(void)
{
	long wait = check_due == NEVER ? NEVER : check_due - milliseconds();
	return wait > 0x7fffffff ? 0x7fffffff : check_due != NEVER && wait < 0 ? 0 : (int)wait;
}

/* The command with one more word, in this process. Comes back when it cannot be executed. */
static void become(char **command, char *word, char **environment)
{
	char *words[WORDS + 2];
	unsigned long none = 0;
	int count = 0;
	for (; command[count] && count < WORDS; count++)
		words[count] = command[count];
	words[count] = word;
	words[count + 1] = 0;
	call4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
	call3(__NR_execve, words[0], words, environment);
}

/* Begins one that is due. It has none of our descriptors, as the first three may be the container's own. */
static void checks_begin(char **command, char **environment)
{
	if (check_due == NEVER || milliseconds() < check_due)
		return;
	check_due = NEVER;
	check_pid = call0(__NR_fork);
	if (check_pid != 0) {
		if (check_pid < 0)
			check_due = milliseconds() + check_usual_ms;
		return;
	}
	call3(__NR_close_range, 0, ~0u, 0);
	for (int fd = 0; fd < 3; fd++)
		call3(__NR_open, "/dev/null", O_RDWR, 0);
	become(command, "check", environment);
	quit(127);
}

/* To be told of every child that has ended. */
static void checks_ended(int pid, int code)
{
	if (pid != check_pid)
		return;
	check_pid = 0;
	check_due = milliseconds() + (code == STILL_STARTING ? check_starting_ms : check_usual_ms);
}

#endif
