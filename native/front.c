/*
 * delos-oci as its callers start it. If a planner is warm (src/cli/oci/planner), it is asked for the plan, and this process
 * becomes the executor that runs it: the container is a child of whoever called, and Node is not started. In every other case
 * this process becomes Node, which does the same things in forty milliseconds instead of three.
 *
 * Request and answer are native/planner.h's.
 */
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/socket.h>
#include <linux/un.h>
#include <stddef.h>
#include <stdint.h>
#include "message.h"
#include "planner.h"
#include "syscall.h"

#define SOL_SOCKET 1
#define SO_PEERCRED 17
#define SCM_RIGHTS 1
#define MSG_NOSIGNAL 0x4000
#define F_DUPFD 0

static void quit(int status)
{
	for (;;)
		call1(__NR_exit_group, status);
}

static size_t length(const char *text)
{
	size_t count = 0;
	while (text[count])
		count++;
	return count;
}

static char *append(char *to, const char *end, const char *text)
{
	size_t count = length(text) + 1;
	if (!to || (size_t)(end - to) < count)
		return NULL;
	for (size_t i = 0; i < count; i++)
		to[i] = text[i];
	return to + count;
}

static const char *variable(char **envp, const char *name)
{
	size_t count = length(name);
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
		quit(125);
	while (got > 0 && path[got - 1] != '/')
		got--;
	append(path + got, path + PATH_MAX, name);
}

static void become_node(long argc, char **argv, char **envp)
{
	char node[PATH_MAX], program[PATH_MAX];
	char *arguments[argc + 2];
	sibling(node, "node");
	sibling(program, "delos-oci.cjs");
	arguments[0] = node;
	arguments[1] = program;
	for (long i = 1; i <= argc; i++)
		arguments[i + 1] = argv[i];
	call3(__NR_execve, node, arguments, envp);
	quit(125);
}

/* A connection to the planner of this user; -1 when there is none, or when it is somebody else's. */
static int find_planner(char **envp)
{
	struct sockaddr_un address = { .sun_family = 1 };
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
	int fd = (int)call3(__NR_socket, 1, 1 | 02000000, 0);
	if (call3(__NR_connect, fd, &address, sizeof address) == 0 &&
	    call5(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, credentials, &size) == 0 && credentials[1] == uid)
		return fd;
	call1(__NR_close, fd);
	return -1;
}

/* Working directory, arguments, environment, each ended by NUL. False when it is too much for a request. */
static int send_request(int planner, long argc, char **argv, char **envp)
{
	static char buffer[REQUEST_MAX];
	const char *end = buffer + sizeof buffer;
	struct planner_request *request = (struct planner_request *)buffer;
	char *at = buffer + sizeof *request;
	long cwd = call2(__NR_getcwd, at, PATH_MAX);
	if (cwd <= 0 || at[0] != '/')
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
	return call6(__NR_sendto, planner, buffer, request->size, MSG_NOSIGNAL, 0, 0) == (long)request->size;
}

static void copy_out(int planner, int to, uint32_t count)
{
	char buffer[4096];
	while (count > 0) {
		long got = call3(__NR_read, planner, buffer, count < sizeof buffer ? count : sizeof buffer);
		if (got <= 0)
			quit(1);
		call3(__NR_write, to, buffer, got);
		count -= (uint32_t)got;
	}
}

/* The executor takes over in this process. The descriptors that go to the container keep their numbers, so the plan goes above. */
static void become_executor(int planned, int executor, uint32_t preserved)
{
	char number[12] = { 0 };
	char *arguments[] = { "delos-exec", number, NULL }, *environment[] = { NULL };
	long plan = call3(__NR_fcntl, planned, F_DUPFD, 3 + preserved);
	int at = 11;
	if (plan < 0)
		quit(1);
	do
		number[--at] = (char)('0' + plan % 10);
	while (plan /= 10);
	arguments[1] = number + at;
	call5(__NR_execveat, executor, "", arguments, environment, AT_EMPTY_PATH);
	quit(1);
}

/* Does what the planner answers. Comes back only when the answer is to do it without a planner. */
static void obey(int planner)
{
	struct planner_answer answer;
	struct descriptors got;
	size_t count = 2;
	if (receive(planner, &answer, sizeof answer, &got, &count) != sizeof answer ||
	    answer.kind == ANSWER_COLD)
		return;
	copy_out(planner, 1, answer.output);
	copy_out(planner, 2, answer.errors);
	if (answer.kind == ANSWER_DONE)
		quit((int)answer.value);
	if (answer.kind != ANSWER_PLAN || count != 2)
		quit(1);
	become_executor(got.fds[0], got.fds[1], answer.value);
}

__attribute__((used)) static void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
	int planner = find_planner(envp);
	if (planner >= 0) {
		if (send_request(planner, argc, argv, envp))
			obey(planner);
		call1(__NR_close, planner);
	}
	become_node(argc, argv, envp);
}

ENTRY(start);
