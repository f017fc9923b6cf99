/** Exit codes of a command line that went wrong, runc's; `exec` has one of its own, so that a program's exit code 1 can be told from it. */
export const FAILED = 1;
export const EXEC_FAILED = 255;
