/** Delos as a library: programs in containers of their own, out of a running Node process. docs/guide/library.md */
export type { CgroupStats } from './cgroup/stats.ts';
export { DelosError, errorCodes, type ErrorCode, type ErrorDetail } from './lib/errors.ts';
export { Container, type ConnectedNetwork, type ContainerStreams, type Inspection, type Limits } from './library/container.ts';
export { create } from './library/create.ts';
export { explain, type Explanation } from './library/explain.ts';
export {
  images, type ImageSummary, type ImportOptions, type LoadOptions, type PlatformOptions, type StoreOptions, type TransferOptions,
} from './library/images.ts';
export { networks, type ConnectOptions, type NetworkOptions, type NetworkStoreOptions, type NetworkSummary } from './library/networks.ts';
export type {
  BindMount, ContainerOptions, ExecOptions, ExitResult, Output, ProcessOptions, RunOptions, RunResult, SignalOptions, VolumeMount,
} from './library/options.ts';
export { run } from './library/run.ts';
export { volumes, type VolumeOptions, type VolumeStoreOptions } from './library/volumes.ts';
export type { Volume } from './containers/volumes.ts';
export type { ExplainedStep } from './plan/explain.ts';
export type { SeccompProfile } from './seccomp/profile.ts';
