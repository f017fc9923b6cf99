import type { Bus } from '../device/bus.ts';
import type { Engine, EngineOptions, LocalDevices } from '../engine/engine.ts';
import type { EscapeWatch } from './watch.ts';

/**
 * An engine whose guests are watched: their CPUID, their RDTSC, their accesses to where nothing is. It is the same engine in all else.
 * On KVM the processor answers CPUID and RDTSC itself, and only the accesses are seen.
 */
export function watchedEngine(engine: Engine, watch: EscapeWatch): Engine {
  return { ...engine, available: () => engine.available(), open: (options) => engine.open(watchedOptions(options, watch)) };
}

function watchedOptions(options: EngineOptions, watch: EscapeWatch): EngineOptions {
  watchMemory(options.bus, watch);
  return {
    ...options,
    cpuid: (leaf, subleaf) => {
      watch.cpuid(leaf);
      return options.cpuid(leaf, subleaf);
    },
    ...(options.local && { local: watchedClock(options.local, watch) }),
  };
}

function watchedClock(local: LocalDevices, watch: EscapeWatch): LocalDevices {
  const timestamp = (): bigint => {
    const value = local.timestamp();
    watch.rdtsc(value);
    return value;
  };
  return {
    timestamp, readMsr: (cpu, number) => local.readMsr(cpu, number), writeMsr: (cpu, number, value) => local.writeMsr(cpu, number, value),
    taskPriority: (cpu) => local.taskPriority(cpu), setTaskPriority: (cpu, priority) => local.setTaskPriority(cpu, priority),
  };
}

/** Whoever traces already goes on to. */
function watchMemory({ memory }: Bus, watch: EscapeWatch): void {
  const { trace } = memory;
  memory.trace = (write, address, size, value, device) => {
    trace?.(write, address, size, value, device);
    if (device === undefined) watch.access(address, size, write);
  };
}
