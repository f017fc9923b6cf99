import fs from 'node:fs';
import path from 'node:path';
import { syscallNumbers } from '../../src/abi/syscall-numbers.ts';
import type { Bundle } from '../support/bundle.ts';
import { compileInto } from '../support/program.ts';

/** `calls NAME=NUMBER,ARG,... ...`: makes each call and prints `NAME ERRNO`, 0 for one that worked. */
const source = `
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc; i++) {
		long args[6] = {0};
		char *rest = strchr(argv[i], '=');
		*rest++ = 0;
		long number = strtol(rest, &rest, 0);
		for (int n = 0; n < 6 && *rest == ','; n++) args[n] = strtoul(rest + 1, &rest, 0);
		errno = 0;
		long result = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
		printf("%s %d\\n", argv[i], result < 0 ? errno : 0);
	}
	return 0;
}`;

/** For the `image` of a test: the program is /calls. */
export function callsProgram(_rootfs: string, bundle: Bundle): void {
  compileInto(bundle, 'calls', source);
  fs.chmodSync(path.join(bundle.rootfs, 'calls'), 0o755);
}

/** A line of shell that makes system calls by name: `calls({ reboot: [1], mount: [] })`. */
export function calls(list: Readonly<Record<string, readonly (number | bigint)[]>>): string {
  const words = Object.entries(list).map(([name, args]) => {
    const number = syscallNumbers().get(name)?.[0];
    if (number === undefined) throw new Error(`no system call ${name}`);
    return `${name}=${[number, ...args].join(',')}`;
  });
  return `/calls ${words.join(' ')}`;
}

/** What became of them: the errno of each, by name of the call. */
export function answers(output: string): Record<string, number> {
  return Object.fromEntries(output.trimEnd().split('\n').map((line) => line.split(' ')).map(([name = '', errno]) => [name, Number(errno)]));
}
