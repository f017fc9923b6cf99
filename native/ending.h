/*
 * How a container has ended: its file `exit`, `CODE SECONDS.NANOSECONDS KILLED`: the exit code or 128 + signal, when, and 1 if memory
 * was exhausted. It is there in whole or not at all.
 */
#ifndef DELOS_ENDING_H
#define DELOS_ENDING_H

#include <linux/fcntl.h>
#include "making.h"

static int exit_code = -1; /* until it has ended */

/* Whether a line of the file is `oom_kill` and a number that is not 0. */
static int out_of_memory(int fd)
{
	static const char word[] = "\noom_kill ";
	static char text[1024] = "\n";
	long length = call4(__NR_pread64, fd, text + 1, sizeof text - 2, 0);
	for (long at = 0; at < length; at++) {
		int i = 0;
		while (word[i] && text[at + i] == word[i])
			i++;
		if (!word[i])
			return number_at(text + at + i) > 0;
	}
	return 0;
}

static void write_exit(int oom)
{
	char text[64], *at = text;
	struct moment moment = now();
	int fd = (int)call4(__NR_openat, FOLDER, "exit.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	at = put_number(at, (unsigned long)exit_code, 1);
	*at++ = ' ';
	at = put_number(at, (unsigned long)moment.seconds, 1);
	*at++ = '.';
	at = put_number(at, (unsigned long)moment.nanoseconds, 9);
	*at++ = ' ';
	*at++ = (char)('0' + out_of_memory(oom));
	*at++ = '\n';
	if (call3(__NR_write, fd, text, at - text) == at - text)
		call4(__NR_renameat, FOLDER, "exit.new", FOLDER, "exit");
	call1(__NR_close, fd);
}

#endif
