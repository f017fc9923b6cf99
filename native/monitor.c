/*
 * The parent of one container: what stays while a container runs, so that no Node has to. It runs the plan that makes the
 * container, keeps its output in a log, serves those who attach, waits for its end, and writes down how it ended.
 *
 *   monitor MODE INIT OOM CHECKS [COMMAND...]
 *   monitor later MILLISECONDS COMMAND...
 *
 * MODE     letters: l  output goes through pipes into the log      t  so does that of a terminal, received from the socket in 7
 *                   i  standard input is kept open for clients     d  detached: `COMMAND end` is run at the end, in this process;
 *                                                                     it also is when our starter has died meanwhile
 * INIT     file that begins with the pid of the container's init once the plan has run
 * OOM      file of its cgroup with a line `oom_kill COUNT`
 * CHECKS   how often `COMMAND check` is run meanwhile (checks.h)
 *
 * `later` waits and runs `COMMAND now`, so that no Node has to stay for that either.
 *
 * Descriptors it is started with: 0 to 2, the container's own unless MODE says otherwise; 3 the container's folder, in which it
 * makes `log`, `attach` (clients.h) and `exit`; 4 a pipe that takes the plan's exit code as a byte when the plan has run; 5 the
 * plan; 6 the executor; 7 a listening socket for the terminal's master.
 */
#include <errno.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/wait.h>
#include <asm/ioctls.h>
#include <asm/signal.h>
#include "checks.h"
#include "clients.h"
#include "ending.h"
#include "log.h"
#include "making.h"

static int listen_for_clients(void)
{
	struct {
		unsigned short family;
		char path[16];
	} address = { AF_UNIX, "attach" };
	int fd = (int)must(call3(__NR_socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC | O_NONBLOCK, 0));
	/* Relative, since the whole path can be longer than an address is. */
	must(call1(__NR_fchdir, FOLDER));
	call1(__NR_unlink, "attach");
	must(call3(__NR_bind, fd, &address, sizeof address));
	must(call2(__NR_listen, fd, CLIENTS));
	must(call1(__NR_chdir, "/"));
	return fd;
}

/* Orphans of the container come to us too, where it has no pid namespace of its own. */
static void reap(int init)
{
	int info[32];
	while (info[4] = 0, call5(__NR_waitid, P_ALL, 0, info, WEXITED | WNOHANG, 0) == 0 && info[4] != 0)
		if (info[4] == init)
			exit_code = code_of(info);
		else
			checks_ended(info[4], code_of(info));
}

static void close_input(void)
{
	if (input >= 0 && !has_terminal) {
		call1(__NR_close, input);
		input = -1;
	}
}

/* Does what a whole frame asks for. False when the container does not take its input yet. */
static int obey(struct client *client)
{
	unsigned short *size = (unsigned short *)(client->input + HEADER);
	if (client->input[0] == 'i')
		while (input >= 0 && client->used < client_length(client)) {
			long written = call3(__NR_write, input, client->input + HEADER + client->used, client_length(client) - client->used);
			if (written == -EAGAIN)
				return 0;
			if (written < 0)
				close_input();
			else
				client->used += written;
			if (written < 0 && has_terminal)
				break;
		}
	else if (client->input[0] == 'a')
		client_watch(client);
	else if (client->input[0] == 'e')
		close_input();
	else if (client->input[0] == 'r' && has_terminal && client_length(client) == 4) {
		unsigned short window[4] = { size[0], size[1], 0, 0 };
		call3(__NR_ioctl, output, TIOCSWINSZ, window);
	}
	return 1;
}

static void serve(struct client *client)
{
	if (!client_has_frame(client))
		client_receive(client);
	if (client->fd >= 0 && client_has_frame(client) && obey(client))
		client->have = client->used = 0;
}

/* Reads one piece of output. False at its end; EIO is that of a terminal nobody has open, which may be opened again. */
static int take(int fd, char type, const char *stream)
{
	long got = call3(__NR_read, fd, piece + HEADER, OUTPUT_MAX);
	if (got == -EAGAIN || got == -EINTR)
		return 1;
	if (got <= 0)
		return 0;
	log_output(stream, piece + HEADER, got);
	clients_send(type, got);
	return 1;
}

/* Gives whether to leave it alone for a while: a terminal that nobody has open is at its end only with the container. */
static int take_output(int *fd, char type, const char *stream)
{
	if (take(*fd, type, stream))
		return 0;
	if (has_terminal)
		return 1;
	call1(__NR_close, *fd);
	*fd = -1;
	return 0;
}

enum poll_index { SIGNALS, LISTENER, OUTPUT, ERROR_OUTPUT, INPUT, FIRST_CLIENT, POLLS = FIRST_CLIENT + CLIENTS };

static void want(struct pollfd *poll, int fd, short events)
{
	poll->fd = fd;
	poll->events = events;
	poll->revents = 0;
}

static void prepare_polls(struct pollfd *polls, int signals, int listener, int rests)
{
	int behind = clients_behind(), waiting = 0;
	for (int i = 0; i < CLIENTS; i++) {
		struct client *client = &clients[i];
		int full = client->fd >= 0 && client_has_frame(client);
		waiting |= full;
		short events = (short)((client_is_behind(client) ? POLLOUT : 0) | (full ? 0 : POLLIN));
		/* Nothing is asked of a client whose frame waits for the container; its hanging up would be told again and again. */
		int idle = !client_is_behind(client) && (full || exit_code >= 0);
		want(&polls[FIRST_CLIENT + i], idle ? -1 : client->fd, events);
	}
	want(&polls[SIGNALS], exit_code >= 0 ? -1 : signals, POLLIN);
	want(&polls[LISTENER], exit_code >= 0 ? -1 : listener, POLLIN);
	want(&polls[OUTPUT], behind || rests ? -1 : output, POLLIN);
	want(&polls[ERROR_OUTPUT], behind ? -1 : error_output, POLLIN);
	want(&polls[INPUT], waiting ? input : -1, POLLOUT);
}

/* How long to wait for something to happen. */
static int patience(int rests)
{
	int check = checks_wait();
	if (exit_code >= 0)
		return clients_behind() ? 2000 : 0;
	return rests && (check < 0 || check > 100) ? 100 : check;
}

/* Until the container has ended and all it wrote has been read; a client that does not read is given two seconds then. */
static void watch(int signals, int listener, int init, char **command, char **environment)
{
	struct pollfd polls[POLLS];
	unsigned char info[128];
	int rests = 0;
	for (;;) {
		prepare_polls(polls, signals, listener, rests);
		long ready = call3(__NR_poll, polls, POLLS, patience(rests));
		if (exit_code >= 0 && ready <= 0) {
			if (!clients_behind())
				return;
			/* The rest is for the log and for those who read. */
			clients_drop_behind();
			continue;
		}
		if (exit_code < 0)
			checks_begin(command, environment);
		if (polls[SIGNALS].revents) {
			call3(__NR_read, signals, info, sizeof info);
			reap(init);
		}
		if (polls[LISTENER].revents) {
			long fd = call4(__NR_accept4, listener, 0, 0, O_CLOEXEC | O_NONBLOCK);
			if (fd >= 0)
				client_add((int)fd);
		}
		rests = polls[OUTPUT].revents ? take_output(&output, '1', "stdout") : 0;
		if (polls[ERROR_OUTPUT].revents && !clients_behind())
			take_output(&error_output, '2', "stderr");
		for (int i = 0; i < CLIENTS; i++) {
			struct client *client = &clients[i];
			if (client->fd >= 0 && polls[FIRST_CLIENT + i].fd == client->fd && (polls[FIRST_CLIENT + i].revents & POLLOUT))
				client_send(client);
			if (client->fd >= 0 && exit_code < 0 && (polls[FIRST_CLIENT + i].revents & ~POLLOUT || client_has_frame(client)))
				serve(client);
		}
	}
}

static int signals_of_children(void)
{
	unsigned long all = ~0ul, child = 1ul << (SIGCHLD - 1);
	call4(__NR_rt_sigprocmask, SIG_BLOCK, &all, 0, sizeof all);
	return (int)must(call4(__NR_signalfd4, -1, &child, sizeof child, O_CLOEXEC | O_NONBLOCK));
}

/* What came meanwhile, such as SIGPIPE, must not end who comes after us. */
static void forget_signals(void)
{
	unsigned long all = ~0ul;
	long at_once[2] = { 0, 0 };
	while (call4(__NR_rt_sigtimedwait, &all, 0, at_once, sizeof all) > 0)
		;
}

static void run_later(const char *wait, char **command, char **environment)
{
	unsigned long ms = number_at(wait);
	struct moment left = { (long)(ms / 1000), (long)(ms % 1000 * 1000000) };
	while (call2(__NR_nanosleep, &left, &left) == -EINTR)
		;
	become(command, "now", environment);
	quit(125);
}

__attribute__((used)) static void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1), **environment = argv + argc + 1;
	if (argc < 5)
		quit(125);
	/* The only word here that has an r. */
	if (contains(argv[1], 'r'))
		run_later(argv[2], argv + 3, environment);
	char **command = argv + 5;
	const char *mode = argv[1];
	long starter = call0(__NR_getppid);
	clients_prepare();
	must(call5(__NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	int signals = signals_of_children();
	int listener = listen_for_clients();
	unsigned char code = (unsigned char)make_container(mode, environment);
	if (code == 0) {
		has_terminal = contains(mode, 't');
		if (has_terminal)
			output = input = receive_master();
		if (output >= 0)
			log_file = (int)call4(__NR_openat, FOLDER, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (input >= 0)
			unblocking(input);
	}
	int init = code == 0 ? read_pid(argv[2]) : 0;
	int oom = (int)call3(__NR_open, argv[3], O_CLOEXEC, 0);
	call3(__NR_write, READY, &code, 1);
	if (code != 0)
		quit(code);
	for (int fd = READY; fd <= EXECUTOR; fd++)
		call1(__NR_close, fd);
	reap(init);
	checks_prepare(argv[4]);
	watch(signals, listener, init, command, environment);
	write_exit(oom);
	clients_end((unsigned)exit_code);
	if ((contains(mode, 'd') || call0(__NR_getppid) != starter) && argc > 5) {
		call3(__NR_close_range, 3, ~0u, 0);
		forget_signals();
		become(command, "end", environment);
	}
	quit(exit_code);
}

ENTRY(start);
