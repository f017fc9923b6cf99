/*
 * The log of a container in the form that CRI asks for and podman calls k8s-file: a line of output is
 * `TIME stdout F text`; a piece of a line that goes on in the next entry has P instead of F.
 */
#ifndef DELOS_LOG_H
#define DELOS_LOG_H

#include "text.h"

#define LOG_BUFFER 16384
#define LOG_PREFIX 64 /* more than a time, a stream and a tag take */

static int log_file = -1;
static char log_buffer[LOG_BUFFER];

/* A full disk must not stop the container: what cannot be written is lost. */
static void log_write(const char *end)
{
	for (const char *at = log_buffer; at < end;) {
		long written = call3(__NR_write, log_file, at, end - at);
		if (written <= 0)
			return;
		at += written;
	}
}

/* `length` is at most LOG_BUFFER - LOG_PREFIX. */
static void log_output(const char *stream, const unsigned char *data, long length)
{
	struct moment moment = now();
	char *at = log_buffer;
	for (long start = 0; start < length;) {
		long end = start;
		while (end < length && data[end] != '\n')
			end++;
		if (at + LOG_PREFIX + (end - start) > log_buffer + LOG_BUFFER) {
			log_write(at);
			at = log_buffer;
		}
		at = put_time(at, moment);
		*at++ = ' ';
		at = put_text(at, stream);
		at = put_text(at, end < length ? " F " : " P ");
		copy(at, data + start, (unsigned long)(end - start));
		at += end - start;
		*at++ = '\n';
		start = end + 1;
	}
	log_write(at);
}

#endif
