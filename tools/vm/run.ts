import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { initramfs, type CgroupMode } from './initramfs.ts';
import { guestKernel, type GuestKernel } from './kernel.ts';

export interface VmRequest {
  /** Program and arguments; it runs as root in the clone's folder. The host's files are all there; changes to them stay in the guest. */
  readonly command: readonly string[];
  /** How the guest mounts its cgroups; unified when absent. */
  readonly cgroup?: CgroupMode;
  /** 1024 when absent. Half of it is the most that the guest may write to any one of its file systems. */
  readonly memoryMiB?: number;
  /** 120 when absent. The emulated processor is some 20 times slower than the host's. */
  readonly timeoutSeconds?: number;
  /** QEMU's name of the processor model and what is turned on in it; all that QEMU can emulate when absent. */
  readonly processor?: string;
  /**
   * The guest's time is its instructions, 2 ns each, so that its timers leave it the time to do something however busy the host is. It has one
   * processor then.
   */
  readonly countedTime?: boolean;
  /** Kernel modules to load besides those that bring the host's root, such as `null_blk` or `bfq`. */
  readonly modules?: readonly string[];
  /** Is told what the command prints, when it does. */
  readonly onOutput?: (text: string) => void;
}

export interface VmResult {
  readonly exitCode: number;
  /** stdout and stderr, in the order in which they came. */
  readonly output: string;
}

const processors = 2;

/** Why no virtual machine can run here; undefined when one can. The first call may bring the kernel from the package archive. */
export function vmMissing(): string | undefined {
  if (process.arch !== 'x64') return `the machine is emulated for x86-64 only, this is ${process.arch}`;
  const programs = ['qemu-system-x86_64', 'setpriv', 'busybox'].filter((program) => !isInstalled(program));
  if (programs.length > 0) return `not installed: ${programs.join(' ')}`;
  try {
    guestKernel();
    return undefined;
  } catch (error) {
    return `no kernel for the machine: ${(error as Error).message.split('\n')[0]}`;
  }
}

/**
 * Runs a command in a virtual machine with Debian's own kernel, which has what a build machine often lacks: every controller in
 * cgroup v2, AppArmor, all capabilities. The machine is emulated (QEMU's TCG), so it runs wherever QEMU does; it boots in about 4 s.
 * The host's root is the guest's, shared read-only under a layer in the guest's memory.
 * @throws Error when the guest takes too long or ends without an exit code, with the end of what its kernel said
 */
export async function runInVm(request: VmRequest): Promise<VmResult> {
  const folder = mkdtempSync(join(tmpdir(), 'delos-vm-'));
  try {
    const kernel = guestKernel();
    const { cgroup = 'unified', modules = [], command } = request;
    writeFileSync(join(folder, 'initramfs'), initramfs({ kernel, modules, cgroup, command }));
    return await boot(folder, kernel, request);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function boot(folder: string, kernel: GuestKernel, request: VmRequest): Promise<VmResult> {
  const { timeoutSeconds = 120, onOutput } = request;
  const qemu = spawn('setpriv', ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...machine(folder, kernel, request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    qemu.kill('SIGKILL');
  }, timeoutSeconds * 1000);
  try {
    const { output, errors } = await collect(qemu, onOutput);
    // The guest's terminal driver ends the line with \r\n.
    const exitCode = /^(\d+)\r\n$/.exec(textOf(folder, 'exit'))?.[1];
    if (exitCode === undefined) {
      const what = isLate ? `was stopped after ${timeoutSeconds} s` : 'ended without an exit code';
      const said = [output, textOf(folder, 'console'), errors].map((text) => text.slice(-4000).trim()).filter((text) => text !== '');
      throw new Error([`the virtual machine ${what}`, ...said].join('\n'));
    }
    return { exitCode: Number(exitCode), output };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Three serial ports: the kernel's console, the command's output, its exit code. `panic=-1` restarts at once, which `-no-reboot` turns into the
 * end of QEMU. The two processors take turns in one thread: with a thread each, QEMU 7.2 runs code that the other has just rewritten, and a
 * guest's Node dies of its own checks, once in ten starts.
 */
function machine(folder: string, kernel: GuestKernel, { memoryMiB = 1024, processor = 'max', countedTime = false }: VmRequest): string[] {
  return [
    ...['-machine', 'q35', '-accel', 'tcg,thread=single', '-cpu', processor, '-smp', String(countedTime ? 1 : processors), '-m', String(memoryMiB)],
    ...(countedTime ? ['-icount', 'shift=1,sleep=off'] : []),
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ...['-serial', `file:${join(folder, 'console')}`, '-serial', 'stdio', '-serial', `file:${join(folder, 'exit')}`],
    ...['-virtfs', 'local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap'],
    ...['-kernel', kernel.vmlinux, '-initrd', join(folder, 'initramfs')],
    ...['-append', 'console=ttyS0 panic=-1 loglevel=4 mitigations=off'],
  ];
}

async function collect(child: ChildProcess, onOutput: ((text: string) => void) | undefined): Promise<{ output: string; errors: string }> {
  let output = '';
  let errors = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    onOutput?.(text);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  await once(child, 'close');
  return { output, errors };
}

function textOf(folder: string, name: string): string {
  const file = join(folder, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
