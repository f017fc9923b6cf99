/* What the front and the planner say to each other over a unix stream socket. src/cli/oci/planner/protocol.ts has the same. */
#ifndef DELOS_PLANNER_H
#define DELOS_PLANNER_H

#include <stdint.h>

#define PLANNER_SOCKET "planner.sock"
#define PLANNER_MAGIC 0x32504c44u /* "DLP2" */
#define REQUEST_MAX (128 * 1024)

/* Of the file that Node would run: another build has another inode, or was written at another time. */
struct build {
	uint64_t inode;
	uint64_t changed; /* st_ctim in nanoseconds */
};

/* Followed by the working directory, the arguments and the environment, each ended by NUL. */
struct planner_request {
	uint32_t magic, size, arguments, environment;
	struct build build;
};

/* Cold: the planner has done nothing, and will do nothing. */
enum { ANSWER_COLD, ANSWER_DONE, ANSWER_PLAN };

/* Followed by what goes to stdout and to stderr. With a plan come two descriptors: the plan and the executor. */
struct planner_answer {
	uint32_t kind;
	uint32_t value; /* exit code, or how many descriptors from 3 on go to the container */
	uint32_t output, errors;
};

#endif
