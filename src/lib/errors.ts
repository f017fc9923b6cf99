/** The catalogue: every code a {@link DelosError} can carry, with the sentence it stands for. */
export const errorCodes = {
  'bad-config': 'the configuration is not valid',
  'bad-usage': 'the command line is not valid',
  'bad-id': 'the container id is not valid',
  'not-found': 'there is no such container',
  exists: 'the container exists already',
  'wrong-state': 'the container is in a state that does not allow this',
  unsupported: 'this host cannot do what was asked',
  'kernel-refused': 'the kernel refused a system call',
  'hook-failed': 'a hook failed',
  'bad-archive': 'an archive or a layer is not valid, or leads out of its folder',
  'too-large': 'what was read goes beyond a limit that was set',
  interrupted: 'a process of Delos was killed from outside',
  'bad-reference': 'the name of the image is not valid',
  'bad-image': 'the image is not valid',
  'no-image': 'there is no such image',
  'bad-dockerfile': 'a Dockerfile or a .dockerignore is not valid',
  'build-failed': 'a command of a Dockerfile has failed',
  registry: 'a registry could not be reached, refused, or gave an answer that cannot be used',
  'bad-network': 'a network, or what was asked of it, is not valid',
  'no-network': 'there is no such network',
  'no-volume': 'there is no such volume',
  'volume-in-use': 'a container uses the volume',
  'plugin-failed': 'a CNI plugin could not be run, or has refused',
  'network-in-use': 'the network, its address or a port of the host is in use',
  'bad-machine': 'the machine that is wanted is not valid',
  'bad-kernel': 'a kernel, a firmware or an initrd is not valid, or does not fit the machine',
  'bad-snapshot': 'a snapshot of a machine is not one, is damaged, or is of another version',
  io: 'a file could not be read or written',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetail {
  /** The error that led to this one. */
  cause?: unknown;
  /** JSON pointer into config.json of the field that asked for it. */
  field?: string;
  /** The system call that was refused, and its errno by name. */
  call?: string;
  errno?: string;
}

/**
 * The caller's mistake or the kernel's refusal. `message` is one line for a person; `code` is for programs.
 * Our own bugs are never a DelosError: they are plain errors and keep their stack.
 */
export class DelosError extends Error {
  override readonly name = 'DelosError';
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.detail = detail;
  }
}
