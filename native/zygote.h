/*
 * The zygote: starting a container from a running Node process without forking Node. A request is one datagram whose
 * descriptors are, in this order: the plan, stdin, stdout, stderr, and the runner's end of a pipe that nobody writes to:
 * when it closes, the runner has ended and the plan holds its report.
 */
enum request { REQUEST_PLAN, REQUEST_STDIN, REQUEST_STDOUT, REQUEST_STDERR, REQUEST_DONE, REQUEST_FDS };

struct control {
	size_t length;
	int level, type;
	int fds[REQUEST_FDS];
} __attribute__((aligned(8)));

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
		struct control control;
		struct iovec data = { &byte, 1 };
		/* struct user_msghdr: name, namelen, iov, iovlen, control, controllen, flags */
		struct {
			void *name;
			long namelen;
			struct iovec *iov;
			size_t iovlen;
			void *control;
			size_t controllen;
			long flags;
		} message = { 0, 0, &data, 1, &control, sizeof control, 0 };
		call4(__NR_rt_sigaction, SIGCHLD, ignore, 0, 8);
		long got = call3(__NR_recvmsg, requests, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
		if (got == -EINTR)
			continue;
		if (got <= 0)
			quit(0);
		if (message.controllen < offsetof(struct control, fds) + sizeof control.fds)
			continue;
		if (call0(__NR_fork) == 0) {
			call4(__NR_rt_sigaction, SIGCHLD, fallback, 0, 8);
			runner(control.fds);
		}
		for (int i = 0; i < REQUEST_FDS; i++)
			call1(__NR_close, control.fds[i]);
	}
}
