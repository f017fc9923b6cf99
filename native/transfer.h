/* read(2) and write(2) that cope with signals, with parts, and with descriptors that somebody has made non-blocking. */
#ifndef DELOS_TRANSFER_H
#define DELOS_TRANSFER_H

#include <errno.h>
#include <linux/poll.h>
#include <stddef.h>
#include "syscall.h"

static void wait_until(int fd, short events)
{
	struct pollfd ready = { fd, events, 0 };
	call3(__NR_poll, &ready, 1, -1);
}

/* read(2), waiting also where the descriptor would not. Nothing or an error: there is no more. */
static long read_some(int fd, void *to, size_t size)
{
	for (;;) {
		long got = call3(__NR_read, fd, to, size);
		if (got == -EAGAIN)
			wait_until(fd, POLLIN);
		else if (got != -EINTR)
			return got;
	}
}

/* False when not all of it can be written. */
static int write_all(int fd, const char *from, size_t size)
{
	while (size > 0) {
		long put = call3(__NR_write, fd, from, size);
		if (put == -EAGAIN)
			wait_until(fd, POLLOUT);
		else if (put == 0 || (put < 0 && put != -EINTR))
			return 0;
		if (put > 0) {
			from += put;
			size -= (size_t)put;
		}
	}
	return 1;
}

#endif
