/*
 * Starts programs and says how long they took. Node's own spawn costs more than some of the programs measured here.
 *
 * A request is a line on stdin: TOTAL PARALLEL PROGRAM ARGUMENT..., separated by tabs. The program runs TOTAL times, PARALLEL of them
 * at a time; `{}` in an argument is the number of the run, from 0. The answer is a line on stdout: nanoseconds of the whole, the
 * largest resident size of one process (kB), how many runs failed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ARGUMENTS 64
#define LINE 8192

static char *argv[ARGUMENTS + 1], *numbered[ARGUMENTS + 1];
static char space[LINE * 2];

static long long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* Fills `numbered` with the arguments of one run. */
static void number(int run)
{
	char *at = space;
	int i;
	for (i = 0; argv[i]; i++) {
		const char *place = strstr(argv[i], "{}");
		numbered[i] = place ? at : argv[i];
		if (place)
			at += 1 + snprintf(at, space + sizeof space - at, "%.*s%d%s", (int)(place - argv[i]), argv[i], run, place + 2);
	}
	numbered[i] = NULL;
}

static void start(int run)
{
	number(run);
	pid_t pid = vfork();
	if (pid == 0) {
		execv(numbered[0], numbered);
		_exit(127);
	}
	if (pid < 0)
		exit(1);
}

static void answer(FILE *to, int total, int parallel)
{
	long peak = 0;
	int failed = 0, started = 0, status;
	struct rusage usage;
	long long begin = now();
	while (started < total && started < parallel)
		start(started++);
	for (int ended = 0; ended < total; ended++) {
		if (wait4(-1, &status, 0, &usage) < 0)
			exit(1);
		failed += status != 0;
		if (usage.ru_maxrss > peak)
			peak = usage.ru_maxrss;
		if (started < total)
			start(started++);
	}
	fprintf(to, "%lld %ld %d\n", now() - begin, peak, failed);
	fflush(to);
}

int main(void)
{
	static char line[LINE];
	/* The programs get /dev/null: a container that is left running must not hold our pipes. */
	FILE *requests = fdopen(fcntl(0, F_DUPFD_CLOEXEC, 10), "r"), *answers = fdopen(fcntl(1, F_DUPFD_CLOEXEC, 10), "w");
	int null = open("/dev/null", O_RDWR);
	if (!requests || !answers || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		return 1;
	close(null);
	while (fgets(line, sizeof line, requests)) {
		int total = atoi(strtok(line, "\t\n")), parallel = atoi(strtok(NULL, "\t\n")), count = 0;
		while (count < ARGUMENTS && (argv[count] = strtok(NULL, "\t\n")))
			count++;
		argv[count] = NULL;
		answer(answers, total, parallel);
	}
	return 0;
}
