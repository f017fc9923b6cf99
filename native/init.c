/*
 * Process 1 of a container that was asked for with --init: it starts the command, passes every signal on to it, reaps every
 * process that loses its parent, and ends as the command ends: its exit code, or 128 + the signal that killed it.
 *
 *   init -- COMMAND [ARG...]
 *
 * A command without a slash is looked for along PATH. 127: it is not there; 126: it cannot be run.
 */
#include <errno.h>
#include <linux/wait.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include "text.h"

#define CLD_EXITED 1
#define PATH_BYTES 4096

static void quit(int status)
{
	for (;;)
		call1(__NR_exit_group, status);
}

static const char *search_path(char **environment)
{
	for (; *environment; environment++) {
		const char *entry = *environment;
		if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=')
			return entry + 5;
	}
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

static int has_slash(const char *name)
{
	for (; *name; name++)
		if (*name == '/')
			return 1;
	return 0;
}

/* Comes back only when it cannot be run, with the errno of the last place that had it. */
static long execute(char **command, char **environment)
{
	static char file[PATH_BYTES];
	long refused = -ENOENT;
	if (has_slash(command[0]))
		return call3(__NR_execve, command[0], command, environment);
	for (const char *path = search_path(environment); *path;) {
		char *at = file;
		unsigned long length = 0;
		while (path[length] && path[length] != ':')
			length++;
		if (length + length_of(command[0]) + 2 < PATH_BYTES) {
			copy(at, path, length);
			at += length;
			*at++ = '/';
			*put_text(at, command[0]) = 0;
			long result = call3(__NR_execve, file, command, environment);
			if (result != -ENOENT && result != -ENOTDIR)
				refused = result;
		}
		path += length + (path[length] == ':');
	}
	return refused;
}

static void complain(const char *name, const char *reason)
{
	call3(__NR_write, 2, "init: ", 6);
	call3(__NR_write, 2, name, length_of(name));
	call3(__NR_write, 2, reason, length_of(reason));
}

/* A process group of its own, in front of the terminal if there is one: signals of the keyboard go there. */
static void run_command(char **command, char **environment)
{
	unsigned long none = 0;
	int group = (int)call0(__NR_getpid);
	call2(__NR_setpgid, 0, 0);
	call3(__NR_ioctl, 0, TIOCSPGRP, &group);
	call4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
	long refused = execute(command, environment);
	int missing = refused == -ENOENT || refused == -ENOTDIR;
	complain(command[0], missing ? ": not found\n" : ": cannot be executed\n");
	quit(missing ? 127 : 126);
}

/* Ends with the command; the kernel ends whatever else is left. */
static void reap(int command)
{
	int info[32]; /* siginfo_t: si_signo, si_errno, si_code, pad, si_pid, si_uid, si_status */
	while (info[4] = 0, call5(__NR_waitid, P_ALL, 0, info, WEXITED | WNOHANG, 0) == 0 && info[4] != 0)
		if (info[4] == command)
			quit(info[2] == CLD_EXITED ? info[6] : 128 + info[6]);
}

__attribute__((used)) static void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **environment = argv + argc + 1;
	unsigned long all = ~0ul;
	if (argc < 3)
		quit(125);
	call4(__NR_rt_sigprocmask, SIG_BLOCK, &all, 0, sizeof all);
	int command = (int)call0(__NR_fork);
	if (command < 0) {
		complain(argv[2], ": cannot be started\n");
		quit(126);
	}
	if (command == 0)
		run_command(argv + 2, environment);
	for (;;) {
		long signal = call4(__NR_rt_sigtimedwait, &all, 0, 0, sizeof all);
		if (signal == SIGCHLD)
			reap(command);
		else if (signal > 0 && signal != SIGTTIN && signal != SIGTTOU)
			call2(__NR_kill, command, signal);
	}
}

ENTRY(start);
