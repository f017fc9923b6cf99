import type { GuestMemory } from '../engine/memory.ts';
import type { BootRequest, Loader } from './boot.ts';
import { badKernel } from './image.ts';
import { linux32, linux64 } from './linux.ts';
import { multiboot } from './multiboot.ts';
import { pvh } from './pvh.ts';

/** Every way of starting a kernel that tells by its bytes what it is; the first that matches is taken. */
export const loaders: readonly Loader[] = [linux64, linux32, pvh, multiboot];

/** @throws DelosError bad-kernel when no loader knows it */
export function loaderOf(kernel: Uint8Array): Loader {
  const loader = loaders.find(({ matches }) => matches(kernel));
  if (loader === undefined) throw badKernel('the kernel is neither a bzImage nor an ELF file with a PVH entry, and has no multiboot header');
  return loader;
}

/** Loads a kernel by the way that its bytes tell, and gives the first processor's cpu_state. */
export function boot(request: BootRequest, memory: GuestMemory): Uint8Array {
  return loaderOf(request.kernel).load(request, memory);
}
