/*
 * Runs a plan: a list of system calls as data (plan.h), made by src/plan. It knows nothing of containers, and does not
 * change when they grow. The plan's first page, with its report and the cells that processes have in common, is mapped shared, so
 * it is seen by the processes it clones and by whoever holds the descriptor. The rest each process has for itself.
 *
 *   exec FD      run the plan in FD; the exit status is what the plan exits with
 *   exec -z FD   zygote: for each datagram on FD run the plan that came with it (zygote.h)
 *
 * Built without a C library and static: it starts in half a millisecond, and there is nothing in it to attack.
 */
#include <errno.h>
#include <linux/signal.h>
#include <linux/wait.h>
#include <linux/mman.h>
#include <linux/poll.h>
#include <linux/socket.h>
#include <linux/stat.h>
#include <stddef.h>
#include "syscall.h"
#include "plan.h"

#define ALL_SIGNALS (~0ul)
#define SIGNALS 64

static void quit(int status)
{
	for (;;)
		call1(__NR_exit_group, status);
}

/* Signals that the caller ignored or blocked would stay so in the container, through every execve. */
static void reset_signals(void)
{
	unsigned long action[4] = { 0 }, none = 0;
	for (int signal = 1; signal <= SIGNALS; signal++)
		call4(__NR_rt_sigaction, signal, action, 0, sizeof none);
	call4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
}

static long decimal(char *buffer, unsigned long value)
{
	char digits[20];
	long count = 0;
	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	for (long i = 0; i < count; i++)
		buffer[i] = digits[count - 1 - i];
	return count;
}

static long exit_code(int pidfd)
{
	int info[32]; /* siginfo_t: si_signo, si_errno, si_code, pad, si_pid, si_uid, si_status */
	long result;
	do
		result = call5(__NR_waitid, 3 /* P_PIDFD */, pidfd, info, WEXITED, 0);
	while (result == -EINTR);
	if (result < 0)
		return result;
	return info[2] == CLD_EXITED ? info[6] : 128 + info[6];
}

static long wait_for(int pidfd, int timeout)
{
	struct pollfd poll = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0)
		return -EBADF;
	if (call3(__NR_poll, &poll, 1, timeout) != 0)
		return exit_code(pidfd);
	call4(__NR_pidfd_send_signal, pidfd, SIGKILL, 0, 0);
	exit_code(pidfd);
	return -ETIMEDOUT;
}

static long supervise(int pidfd)
{
	unsigned long all = ALL_SIGNALS;
	unsigned char info[128]; /* struct signalfd_siginfo; it starts with the number */
	int signals = (int)call4(__NR_signalfd4, -1, &all, sizeof all, 0);
	struct pollfd polls[2] = { { .fd = pidfd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	for (;;) {
		call3(__NR_poll, polls, 2, -1);
		if (polls[0].revents)
			break;
		if (call3(__NR_read, signals, info, sizeof info) == sizeof info && info[0] != SIGCHLD)
			call4(__NR_pidfd_send_signal, pidfd, info[0], 0, 0);
	}
	call1(__NR_close, signals);
	return exit_code(pidfd);
}

static long perform(const struct step *step, uint64_t *a)
{
	switch (step->call) {
	case CALL_DECIMAL:
		return decimal((char *)a[0], a[1]);
	case CALL_WAIT:
		return wait_for((int)a[0], (int)a[1]);
	case CALL_SUPERVISE:
		return supervise((int)a[0]);
	default:
		return call6(step->call, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

static void resolve(const struct step *step, uint64_t *values)
{
	for (int i = 0; i < 6; i++)
		values[i] = step->contents >> i & 1 ? *(uint64_t *)step->args[i] : step->args[i];
}

static void store(const struct step *step, long result)
{
	void *cell = (void *)(uint64_t)step->out;
	if (step->narrow)
		*(int32_t *)cell = (int32_t)result;
	else
		*(int64_t *)cell = result;
}

/* Where to go on after the refusal -error; -1 when it is a failure. */
static long accepted(const struct step *step, long error, long next)
{
	for (int i = 0; i < 4 && step->accept[i].error; i++)
		if (step->accept[i].error == error || step->accept[i].error == ANY_ERRNO)
			return step->accept[i].next == NO_STEP ? next : step->accept[i].next;
	return -1;
}

/* The first refusal of all the plan's processes is the one that is told. */
static void report(struct plan *plan, uint32_t index, const uint64_t *values, long result)
{
	uint32_t none = 0;
	if (!__atomic_compare_exchange_n(&plan->failed, &none, index + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	plan->error = result < 0 ? (int32_t)-result : 0;
	plan->result = result;
	for (int i = 0; i < 6; i++)
		plan->args[i] = values[i];
}

static void run(struct plan *plan)
{
	const struct step *steps = (const struct step *)((char *)plan + plan->steps);
	uint64_t values[6];
	uint32_t trap = NO_STEP;
	for (uint32_t index = plan->entry; index < plan->count;) {
		const struct step *step = &steps[index];
		resolve(step, values);
		if (step->call == CALL_JUMP || step->call == CALL_TRAP) {
			if (step->call == CALL_TRAP)
				trap = (uint32_t)values[0];
			index = step->call == CALL_TRAP ? index + 1 : (uint32_t)values[0];
			continue;
		}
		if (step->call == __NR_exit_group)
			plan->status = (int32_t)values[0];
		long result = perform(step, values);
		if (step->call == __NR_clone3 && result == 0) {
			trap = NO_STEP;
			index = step->child;
			continue;
		}
		int refused = result < 0 && result > -4096;
		if (!refused && step->out)
			store(step, result);
		if (!refused && (step->want == NO_WANT || step->want == result)) {
			index++;
			continue;
		}
		long next = refused ? accepted(step, -result, index + 1) : -1;
		if (next < 0) {
			report(plan, index, values, result);
			next = trap;
			trap = NO_STEP;
		}
		index = (uint32_t)next;
	}
	quit(1);
}

/* Maps the plan, or gives up with 125, docker's code for a fault of the tool itself. */
static struct plan *map(int fd)
{
	struct plan head;
	if (call4(__NR_pread64, fd, &head, sizeof head, 0) != sizeof head || head.magic != PLAN_MAGIC ||
	    head.version != PLAN_VERSION)
		quit(125);
	struct plan *plan = (struct plan *)PLAN_BASE;
	if (call6(__NR_mmap, plan, head.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0) != PLAN_BASE)
		quit(125);
	if (call6(__NR_mmap, plan, PLAN_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) != PLAN_BASE)
		quit(125);
	plan->fd = fd;
	return plan;
}

#include "zygote.h"

static int number(const char *text)
{
	int value = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (*text - '0');
	return value;
}

__attribute__((used)) static void start(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);
	reset_signals();
	if (argc == 3 && argv[1][0] == '-' && argv[1][1] == 'z')
		zygote(number(argv[2]));
	if (argc != 2)
		quit(125);
	run(map(number(argv[1])));
}

ENTRY(start);
