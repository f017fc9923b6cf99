/*
 * delos-oci as its callers start it. If a planner is warm (src/cli/oci/planner), it is asked for the plan, and this process
 * becomes the executor that runs it: the container is a child of whoever called, and Node is not started. In every other case
 * this process becomes Node, which does the same things in forty milliseconds instead of three.
 *
 * Request and answer are native/planner.h's. What was asked is done once: this process becomes Node only when the planner has done
 * nothing and will do nothing, which it says, or which follows from a request that it has not read. Else a planner that dies is an
 * error of one line.
 */
#include <asm/ioctls.h>
#include <asm/stat.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/signal.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#include <linux/un.h>
#include <stddef.h>
#include <stdint.h>
#include "message.h"
#include "planner.h"
#include "syscall.h"
#include "text.h"
#include "transfer.h"

#define AF_UNIX 1
#define SOL_SOCKET 1
#define SO_PEERCRED 17
#define SCM_RIGHTS 1
#define MSG_NOSIGNAL 0x4000
#define SOCK_STREAM 1
#define SOCK_NONBLOCK 04000
#define SOCK_CLOEXEC 02000000
#define SHUT_WR 1
#define F_DUPFD 0

#define NODE_PROGRAM "delos-oci.cjs"
#define NODE_BUNDLE "delos-oci.main.cjs" /* what NODE_PROGRAM loads; the planner's own file */

/* A planner that has not read a request for so long is stopped or stuck. */
#define PATIENCE_MS 3000

static void quit(int status)
{
	for (;;)
		call1(__NR_exit_group, status);
}

/* A line on stderr. `fault` has at most 100 characters. */
static void say(const char *fault)
{
	char line[128], *end = put_text(put_text(put_text(line, "delos-oci: "), fault), "\n");
	write_all(2, line, (size_t)(end - line));
}

static void fail(const char *fault, int status)
{
	say(fault);
	quit(status);
}

static char *append(char *to, const char *end, const char *text)
{
	size_t count = length_of(text) + 1;
	if (!to || (size_t)(end - to) < count)
		return NULL;
	copy(to, text, count);
	return to + count;
}

static const char *variable(char **envp, const char *name)
{
	size_t count = length_of(name);
	for (; *envp; envp++) {
		size_t i = 0;
		while (i < count && (*envp)[i] == name[i])
			i++;
		if (i == count && (*envp)[i] == '=')
			return *envp + count + 1;
	}
	return NULL;
}

/* The folder this program is in, with a name appended; the rest of delos is there. */
static void sibling(char *path, const char *name)
{
	long got = call4(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", path, PATH_MAX - 32);
	if (got <= 0)
		fail("/proc/self/exe cannot be read", 125);
	while (got > 0 && path[got - 1] != '/')
		got--;
	append(path + got, path + PATH_MAX, name);
}

static void become_node(long argc, char **argv, char **envp)
{
	char node[PATH_MAX], program[PATH_MAX];
	char *arguments[argc + 3];
	long count = 0;
	sibling(node, "node");
	sibling(program, NODE_PROGRAM);
	arguments[count++] = node;
	arguments[count++] = program;
	for (long i = 1; i < argc; i++)
		arguments[count++] = argv[i];
	arguments[count] = NULL;
	long error = call3(__NR_execve, node, arguments, envp);
	fail(error == -E2BIG ? "the command line and the environment are too long" : "Node cannot be started", 125);
}

/* A connection to the planner of this user; -1 when there is none, or when it is somebody else's. */
static int find_planner(char **envp)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *end = address.sun_path + sizeof address.sun_path;
	uint32_t credentials[3]; /* struct ucred: pid, uid, gid */
	int size = sizeof credentials;
	long uid = call0(__NR_geteuid);
	const char *folder = uid == 0 ? "/run" : variable(envp, "XDG_RUNTIME_DIR");
	if (!folder)
		return -1;
	char *at = append(address.sun_path, end, folder);
	if (!at || !append(at - 1, end, "/delos/" PLANNER_SOCKET))
		return -1;
	/* Not blocking: a planner with a full queue is as good as none. */
	int fd = (int)call3(__NR_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Below 3 it would be what the caller has closed, and answers would be written to it. Node opens /dev/null there. */
	if (fd > 2 && call3(__NR_connect, fd, &address, sizeof address) == 0 &&
	    call5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, credentials, &size) == 0 && credentials[1] == uid)
		return fd;
	if (fd >= 0)
		call1(__NR_close, fd);
	return -1;
}

/* The build that this process would go on with. */
static int read_build(struct build *build)
{
	char program[PATH_MAX];
	struct stat status;
	sibling(program, NODE_BUNDLE);
	if (call2(__NR_stat, program, &status) < 0)
		return 0;
	build->inode = status.st_ino;
	build->changed = status.st_ctime * 1000000000ul + status.st_ctime_nsec;
	return 1;
}

/* Working directory, arguments, environment, each ended by NUL. Its size; 0 when it is too much for a request, or cannot be sent. */
static uint32_t send_request(int planner, long argc, char **argv, char **envp)
{
	static char buffer[REQUEST_MAX];
	const char *end = buffer + sizeof buffer;
	struct planner_request *request = (struct planner_request *)buffer;
	char *at = buffer + sizeof *request;
	long cwd = call2(__NR_getcwd, at, PATH_MAX);
	if (argc < 1 || cwd <= 0 || at[0] != '/' || !read_build(&request->build))
		return 0;
	at += cwd;
	for (long i = 1; i < argc; i++)
		at = append(at, end, argv[i]);
	request->environment = 0;
	for (; *envp; envp++, request->environment++)
		at = append(at, end, *envp);
	if (!at)
		return 0;
	request->magic = PLANNER_MAGIC;
	request->arguments = (uint32_t)(argc - 1);
	request->size = (uint32_t)(at - buffer);
	/* The planner answers no request that is cut off. */
	long sent = call6(__NR_sendto, planner, buffer, request->size, MSG_NOSIGNAL, 0, 0);
	return sent == (long)request->size ? request->size : 0;
}

/*
 * Waits for the answer. False when there will be none: the planner has not even read the request. Should it do so later, it finds the
 * end of the stream behind it, and leaves it alone (stillWaits in src/cli/oci/planner/peer.ts).
 */
static int is_heard(int planner)
{
	struct pollfd ready = { planner, POLLIN, 0 };
	int unread = 0;
	long got;
	do
		got = call3(__NR_poll, &ready, 1, PATIENCE_MS);
	while (got == -EINTR);
	if (got == 0) {
		call2(__NR_shutdown, planner, SHUT_WR);
		call3(__NR_ioctl, planner, SIOCOUTQ, &unread);
	}
	return unread == 0;
}

static const char planner_lost[] = "the planner ended before it had answered; what was asked may be done in part";

/* NULL, or what went wrong. Whatever cannot be written is read all the same. */
static const char *copy_out(int planner, int to, uint32_t count)
{
	char buffer[4096];
	const char *fault = NULL;
	while (count > 0) {
		long got = read_some(planner, buffer, count < sizeof buffer ? count : sizeof buffer);
		if (got <= 0)
			return planner_lost;
		if (!fault && !write_all(to, buffer, (size_t)got))
			fault = "the output cannot be written";
		count -= (uint32_t)got;
	}
	return fault;
}

/* The executor takes over in this process. The descriptors that go to the container keep their numbers, so the plan goes above. */
static void become_executor(int planned, int executor, uint32_t preserved)
{
	char number[24];
	char *arguments[] = { "delos-exec", number, NULL }, *environment[] = { NULL };
	long plan = call3(__NR_fcntl, planned, F_DUPFD, 3 + preserved);
	if (plan < 0)
		fail("too many descriptors are open for the plan", 1);
	*put_number(number, (unsigned long)plan, 1) = 0;
	call5(__NR_execveat, executor, "", arguments, environment, AT_EMPTY_PATH);
	fail("the executor cannot be started", 1);
}

/* The answer's header with its descriptors. False: the planner went without having read the request to its end, which the kernel says. */
static int receive_answer(int planner, struct planner_answer *answer, struct descriptors *got, size_t *count)
{
	const size_t most = *count;
	long have;
	for (;;) {
		*count = most;
		have = receive(planner, answer, sizeof *answer, got, count);
		if (have == -EAGAIN)
			wait_until(planner, POLLIN);
		else if (have != -EINTR)
			break;
	}
	if (have == -ECONNRESET)
		return 0;
	while (have > 0 && have < (long)sizeof *answer) {
		long more = read_some(planner, (char *)answer + have, sizeof *answer - (size_t)have);
		have = more > 0 ? have + more : more;
	}
	if (have <= 0)
		fail(planner_lost, 1);
	return 1;
}

/* Does what the planner answers. Comes back only when the answer is to do it without a planner. */
static void obey(int planner)
{
	struct planner_answer answer;
	struct descriptors got;
	size_t count = 2;
	/* A reader that has gone is an error of write(2); Node and the executor set their signals themselves. */
	unsigned long ignore[4] = { 1 /* SIG_IGN */, 0, 0, 0 };
	call4(__NR_rt_sigaction, SIGPIPE, ignore, 0, 8);
	if (!receive_answer(planner, &answer, &got, &count) || answer.kind == ANSWER_COLD)
		return;
	const char *fault = copy_out(planner, 1, answer.output);
	copy_out(planner, 2, answer.errors);
	if (fault)
		say(fault);
	if (answer.kind == ANSWER_DONE)
		quit(fault && answer.value == 0 ? 1 : (int)answer.value);
	if (answer.kind != ANSWER_PLAN || count != 2)
		fail("the plan did not arrive; are too many descriptors open?", 1);
	become_executor(got.fds[0], got.fds[1], answer.value);
}

__attribute__((used)) static void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	int planner = find_planner(envp);
	if (planner >= 0) {
		if (send_request(planner, argc, argv, envp) && is_heard(planner))
			obey(planner);
		call1(__NR_close, planner);
	}
	become_node(argc, argv, envp);
}

ENTRY(start);
