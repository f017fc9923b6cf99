/* Receiving descriptors over a Unix socket: unix(7), SCM_RIGHTS. */
#ifndef DELOS_MESSAGE_H
#define DELOS_MESSAGE_H

#include <linux/uio.h>
#include <stddef.h>
#include "syscall.h"

#define MOST_FDS 8

/* One control message: struct cmsghdr and what it brings. */
struct descriptors {
	size_t length;
	int level, type;
	int fds[MOST_FDS];
} __attribute__((aligned(8)));

/*
 * recvmsg(2) of `size` bytes, with `*count` descriptors at most, all close-on-exec. `count` becomes how many came.
 * The result is the call's.
 */
static long receive(int socket, void *bytes, size_t size, struct descriptors *got, size_t *count)
{
	const size_t head = offsetof(struct descriptors, fds);
	struct iovec data = { bytes, size };
	struct {
		void *name;
		long namelen;
		struct iovec *iov;
		size_t iovlen;
		void *control;
		size_t controllen;
		long flags;
	} message = { 0, 0, &data, 1, got, head + *count * sizeof(int), 0 };
	long result = call3(__NR_recvmsg, socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
	*count = result >= 0 && message.controllen > head ? (got->length - head) / sizeof(int) : 0;
	return result;
}

#endif
