/*
 * The zygote: starting a container from a running Node process without forking Node. A request is one datagram whose
 * descriptors are, in this order: the plan, stdin, stdout, stderr, and the runner's end of a pipe that nobody writes to:
 * when it closes, the runner has ended and the plan holds its report.
 */
#include "message.h"

enum request { REQUEST_PLAN, REQUEST_STDIN, REQUEST_STDOUT, REQUEST_STDERR, REQUEST_DONE, REQUEST_FDS };

/* All descriptors arrive close-on-exec, and 0 to 2 are taken, so dup3 never steps on one of them. */
static void runner(const int *fds)
{
	for (int i = 0; i < 3; i++)
		call3(__NR_dup3, fds[REQUEST_STDIN + i], i, 0);
	run(map(fds[REQUEST_PLAN]));
}

static void zygote(int requests)
{
	/* Runners are not waited for: what they have to say is in the plan. */
	unsigned long ignore[4] = { 1 /* SIG_IGN */, 0, 0, 0 }, fallback[4] = { 0 };
	char byte;
	for (;;) {
		struct descriptors got;
		size_t count = REQUEST_FDS;
		call4(__NR_rt_sigaction, SIGCHLD, ignore, 0, 8);
		long size = receive(requests, &byte, 1, &got, &count);
		if (size == -EINTR)
			continue;
		if (size <= 0)
			quit(0);
		if (count == REQUEST_FDS && call0(__NR_fork) == 0) {
			call4(__NR_rt_sigaction, SIGCHLD, fallback, 0, 8);
			/* Else requests that wait would outlive the zygote, and their senders wait with them. */
			call1(__NR_close, requests);
			runner(got.fds);
		}
		for (size_t i = 0; i < count; i++)
			call1(__NR_close, got.fds[i]);
	}
}
