import type { HandlerEntry } from '../../cpu/system/processor.ts';
import type { CpuObserver, Engine, EngineOptions, InterruptSource, LocalDevices, Processors } from '../../engine/engine.ts';
import type { MachineExit } from './exit.ts';
import { RecordedCpu } from './recorded-cpu.ts';
import { ExitRecorder, nanoseconds, RecordedSpace } from './recorder.ts';
import { SteppedCpu, type TracedInstruction } from './stepped-cpu.ts';

/** Where the events go; what nobody takes is not looked for. */
export interface TraceSinks {
  exit?(exit: MachineExit): void;
  /** Only the interpreter tells. */
  interrupt?(entry: HandlerEntry): void;
  instruction?(step: TracedInstruction): void;
}

/**
 * An engine whose guests are looked at: what they ask the machine for, the handlers they enter, each of their instructions. On KVM those are the
 * exits that come to this process (CPUID, most MSRs and the delivery of interrupts are the kernel's own), and instructions by its single step.
 */
export function tracedEngine(engine: Engine, sinks: TraceSinks): Engine {
  return { ...engine, available: () => engine.available(), open: (options) => openTraced(engine, options, sinks) };
}

function openTraced(engine: Engine, options: EngineOptions, sinks: TraceSinks): Processors {
  const isKvm = engine.name === 'kvm';
  const taken = { count: 0 };
  const { exit } = sinks;
  const recorder = exit && new ExitRecorder(exit, isKvm);
  const processors = engine.open(recorder === undefined ? { ...options, ...counted(options.interrupts, taken) } : recordedOptions(options, recorder, isKvm, taken));
  for (const cpu of processors.cpus) cpu.observer = observerOf(sinks, recorder);
  const recorded = recorder === undefined ? [] : processors.cpus.map((cpu) => new RecordedCpu(cpu, recorder, isKvm, options.interrupts));
  const shown = recorder === undefined ? processors.cpus : recorded;
  const { instruction } = sinks;
  const { cpuid, interrupt, timed } = processors;
  return {
    ...(timed && { timed }),
    cpus: instruction === undefined ? shown : shown.map((cpu) => new SteppedCpu(cpu, { memory: options.memory, taken, sink: instruction })),
    ...(cpuid && { cpuid: (leaf, subleaf) => cpuid.call(processors, leaf, subleaf) }),
    ...(interrupt && { interrupt: (line, up) => interrupt.call(processors, line, up) }),
    close() {
      recorder?.settle();
      for (const cpu of recorded) cpu.finish();
      processors.close();
    },
  };
}

function observerOf({ interrupt }: TraceSinks, recorder: ExitRecorder | undefined): CpuObserver {
  return {
    ...(interrupt && { entered: interrupt }),
    ...(recorder && {
      msr: (write: boolean, number: number, value: bigint) => recorder.asked(write ? 'MsrWrite' : 'MsrRead', write, { address: number, value }, 0),
      entering: () => recorder.settle(),
      // By which the tracer's own steps end.
      left: (reason: string) => (reason === 'KVM_EXIT_DEBUG' ? undefined : recorder.left(reason)),
    }),
  };
}

/** Says how many interrupts have been taken: the instruction that was next then was not run. */
function counted(interrupts: InterruptSource | undefined, taken: { count: number }, recorder?: ExitRecorder): Pick<EngineOptions, 'interrupts'> {
  if (interrupts === undefined) return { interrupts };
  return {
    interrupts: {
      pending: (cpu) => interrupts.pending(cpu),
      acknowledge(cpu) {
        taken.count++;
        const vector = interrupts.acknowledge(cpu);
        recorder?.asked('IrqWindow', undefined, { address: vector }, 0);
        return vector;
      },
    },
  };
}

function recordedOptions(options: EngineOptions, recorder: ExitRecorder, isKvm: boolean, taken: { count: number }): EngineOptions {
  const { bus, local } = options;
  return {
    ...options, ...counted(options.interrupts, taken, isKvm ? undefined : recorder),
    bus: { ports: new RecordedSpace(bus.ports, recorder, ['IoIn', 'IoOut']), memory: new RecordedSpace(bus.memory, recorder, ['MmioRead', 'MmioWrite']) },
    // KVM is told once what CPUID says, and answers by itself; which MSR an exit is about is seen where it is answered.
    ...(isKvm ? local && { local: recordedLocal(local, recorder) } : { cpuid: (leaf, subleaf) => {
      const begun = nanoseconds();
      const values = options.cpuid(leaf, subleaf);
      recorder.asked('Cpuid', false, { address: leaf }, nanoseconds() - begun);
      return values;
    } }),
  };
}

function recordedLocal(local: LocalDevices, recorder: ExitRecorder): LocalDevices {
  return {
    timestamp: () => local.timestamp(), taskPriority: (cpu) => local.taskPriority(cpu), setTaskPriority: (cpu, priority) => local.setTaskPriority(cpu, priority),
    readMsr(cpu, number) {
      const value = local.readMsr(cpu, number);
      recorder.asked('MsrRead', false, { address: number, ...(value !== undefined && { value }) }, 0);
      return value;
    },
    writeMsr(cpu, number, value) {
      recorder.asked('MsrWrite', true, { address: number, value }, 0);
      return local.writeMsr(cpu, number, value);
    },
  };
}
