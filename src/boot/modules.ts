import type { BootModule, BootRequest } from './boot.ts';

/** Every module of a start, the initrd first. */
export function modulesOf({ initrd, modules = [] }: BootRequest): readonly BootModule[] {
  return initrd === undefined ? modules : [{ bytes: initrd, commandLine: '' }, ...modules];
}
