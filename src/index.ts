/** Delos as a library: programs in containers of their own, out of a running Node process. docs/guide/library.md */
export { DelosError, errorCodes, type ErrorCode, type ErrorDetail } from './lib/errors.ts';
export { run } from './library/run.ts';
export type {
  BindMount, ContainerOptions, ExecOptions, ExitResult, Output, ProcessOptions, RunOptions, RunResult, SignalOptions,
} from './library/options.ts';
