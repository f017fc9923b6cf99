/*
 * The making of the container that a monitor watches: the plan is run by the executor in a child, with pipes of the monitor's
 * where it is to read the output, and a terminal's master is received. monitor.c says what the descriptors and MODE are.
 */
#ifndef DELOS_MAKING_H
#define DELOS_MAKING_H

#include <errno.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/wait.h>
#include "text.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define CLD_EXITED 1

enum descriptor { FOLDER = 3, READY, PLAN, EXECUTOR, CONSOLE };

static int output = -1, error_output = -1; /* where the container's output is read; the terminal's master is the first */
static int input = -1; /* where its input is written */
static int has_terminal;

static void quit(int status)
{
	for (;;)
		call1(__NR_exit_group, status);
}

/* A fault of ours, before anything runs: docker's code for it. */
static long must(long result)
{
	if (result < 0)
		quit(125);
	return result;
}

static int contains(const char *mode, char letter)
{
	for (; *mode; mode++)
		if (*mode == letter)
			return 1;
	return 0;
}

static int code_of(const int *info) /* siginfo_t: si_signo, si_errno, si_code, pad, si_pid, si_uid, si_status */
{
	return info[2] == CLD_EXITED ? info[6] : 128 + info[6];
}

/* Runs the plan in a child with these three descriptors. Gives its exit code. */
static int run_plan(const int *stdio, char **environment)
{
	char *arguments[] = { "delos-exec", "3", 0 };
	int info[32];
	long child = must(call0(__NR_fork));
	if (child == 0) {
		/* None of the three is below 3 but at its own place, so that none is overwritten before it is copied. */
		for (int i = 0; i < 3; i++)
			if (stdio[i] != i)
				must(call2(__NR_dup2, stdio[i], i));
		must(call3(__NR_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC));
		must(call2(__NR_dup2, PLAN, 3));
		call5(__NR_execveat, EXECUTOR, "", arguments, environment, AT_EMPTY_PATH);
		quit(125);
	}
	while (call5(__NR_waitid, P_PID, child, info, WEXITED, 0) == -EINTR)
		;
	return code_of(info);
}

static void make_pipe(int *ends)
{
	must(call2(__NR_pipe2, ends, O_CLOEXEC));
}

static void unblocking(int fd)
{
	call3(__NR_fcntl, fd, F_SETFL, call3(__NR_fcntl, fd, F_GETFL, 0) | O_NONBLOCK);
}

/* Makes the container, with pipes of ours where MODE wants them. */
static int make_container(const char *mode, char **environment)
{
	int stdio[3] = { 0, 1, 2 }, ends[3][2] = { { -1, 0 }, { -1, 1 }, { -1, 2 } };
	if (contains(mode, 'l')) {
		make_pipe(ends[1]);
		make_pipe(ends[2]);
		output = ends[1][0], error_output = ends[2][0];
		stdio[1] = ends[1][1], stdio[2] = ends[2][1];
		if (contains(mode, 'i')) {
			make_pipe(ends[0]);
			input = ends[0][1];
			stdio[0] = ends[0][0];
		}
	}
	int code = run_plan(stdio, environment);
	for (int i = 0; i < 3; i++)
		if (stdio[i] != i)
			call1(__NR_close, stdio[i]);
	return code;
}

/* The terminal's master, which the plan has sent before it ended. */
static int receive_master(void)
{
	char byte[16];
	struct {
		unsigned long length;
		int level, type, fd, pad;
	} control = { 0 };
	struct {
		void *base;
		unsigned long length;
	} vector = { byte, sizeof byte };
	struct {
		void *name;
		long name_length;
		void *vectors;
		unsigned long count;
		void *control;
		unsigned long control_length;
		long flags;
	} message = { 0, 0, &vector, 1, &control, sizeof control, 0 };
	int connection = (int)must(call4(__NR_accept4, CONSOLE, 0, 0, O_CLOEXEC));
	must(call3(__NR_recvmsg, connection, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */));
	call1(__NR_close, connection);
	call1(__NR_close, CONSOLE);
	return message.control_length < 20 ? -1 : control.fd;
}

static int read_pid(const char *file)
{
	char text[32] = { 0 };
	int fd = (int)must(call3(__NR_open, file, O_CLOEXEC, 0));
	must(call3(__NR_read, fd, text, sizeof text - 1));
	call1(__NR_close, fd);
	return (int)number_at(text);
}

#endif
