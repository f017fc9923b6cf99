import { mismatch } from '../refuse.ts';
import type { Check } from './check.ts';
import { checkProcess } from './process.ts';

/** A container on Linux has a root filesystem (config.md "Root") and, since this project builds it in `create`, a process. */
export const checkPresence: Check = (config, warn) => {
  if (config.root === undefined) throw mismatch(['root'], 'the root filesystem of the container', undefined);
  if (config.process === undefined) throw mismatch(['process'], 'the process of the container', undefined);
  checkProcess(config.process, warn);
};
