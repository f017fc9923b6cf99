/* The wire form of a plan, as src/plan/encode.ts writes it. Little endian. */
#ifndef DELOS_PLAN_H
#define DELOS_PLAN_H

#include <stdint.h>

#define PLAN_MAGIC 0x4e4c5044u /* "DPLN" */
#define PLAN_VERSION 1u
#define PLAN_BASE 0x10000000ul /* where a plan is mapped, so that its pointers are plain numbers */
#define PLAN_SHARED 4096       /* what its processes have in common: the header and some cells */
#define NO_STEP 0xffffu
#define NO_WANT INT32_MIN
#define ANY_ERRNO 0xffffu

/* Calls that are not the kernel's. Everything else is a system call number. */
enum pseudo_call {
	CALL_JUMP = 0x10000, /* (step): go on there */
	CALL_TRAP,           /* (step): where this process goes on after a refusal; NO_STEP to give up */
	CALL_DECIMAL,        /* (buffer, value): the value's digits; how many there are */
	CALL_WAIT,           /* (pidfd, timeout in ms or -1): the exit code, 128+n for a signal; ETIMEDOUT, and it is killed */
	CALL_SUPERVISE,      /* (pidfd): the same, passing on every signal this process gets meanwhile */
};

struct step {
	uint32_t call;
	uint32_t contents; /* a bit an argument: it is the address of a cell and stands for what is in it */
	uint64_t args[6];
	uint32_t out;   /* address of the cell that takes the result; 0 for none */
	uint32_t child; /* clone3: where the child goes on */
	int32_t want;   /* the only result that is no failure; NO_WANT for any */
	uint16_t narrow; /* the cell is 4 bytes, a member of a struct */
	uint16_t why;    /* number of its reason */
	struct {
		uint16_t error; /* an errno that is no failure; 0 ends the list */
		uint16_t next;  /* where to go on; NO_STEP for the next step */
	} accept[4];
};

struct plan {
	uint32_t magic, version;
	uint32_t size; /* of the whole, bytes */
	uint32_t steps, count, entry;
	/* Written here: the first refusal, step counted from 1. */
	uint32_t failed;
	int32_t error; /* errno; 0 when the result was not the wanted one */
	int64_t result;
	int64_t fd; /* a cell: the descriptor this plan came in by */
	uint32_t reasons, reasons_size; /* NUL-terminated texts, for whoever explains a refusal */
	int32_t status; /* what the last process of the plan exited with; -1 until then */
	uint32_t padding;
	uint64_t args[6]; /* of the refused step, cells resolved */
};

#endif
