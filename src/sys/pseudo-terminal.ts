import fs from 'node:fs';
import { O_NOCTTY, O_RDWR } from '../abi/fcntl.ts';
import { TCGETS, TCSETS, TIOCGPTPEER, TIOCSPTLCK } from '../abi/socket.ts';
import { errnoName } from '../abi/names.ts';
import { DelosError } from '../lib/errors.ts';
import { ioctl } from './syscall.ts';

/** Both sides of a terminal that is none (pty(7)); who has it closes both. */
export interface PseudoTerminal {
  readonly master: number;
  /** Held so that reading the master never ends while no one else has the terminal open. */
  readonly slave: number;
  /** `/dev/pts/3`. */
  readonly path: string;
}

/** struct termios of the kernel on x86: four words of flags in front. */
const termiosSize = 36;
/** What cfmakeraw(3) clears: of input IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON, of output OPOST, of control CSIZE PARENB, of local ECHO ECHONL ICANON ISIG IEXTEN. */
const cleared = [0x5eb, 0x1, 0x130, 0x804b];
const CS8 = 0x30;

/** A new pseudo-terminal that changes nothing of what goes through it. @throws DelosError kernel-refused, io */
export function openPseudoTerminal(): PseudoTerminal {
  const opened: number[] = [];
  try {
    const master = fs.openSync('/dev/ptmx', O_RDWR | O_NOCTTY);
    opened.push(master);
    demand('TIOCSPTLCK', ioctl(master, TIOCSPTLCK, new Uint32Array(1)));
    const slave = demand('TIOCGPTPEER', ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    opened.push(slave);
    makeRaw(slave);
    return { master, slave, path: fs.readlinkSync(`/proc/self/fd/${slave}`) };
  } catch (cause) {
    for (const fd of opened.toReversed()) fs.closeSync(fd);
    if (cause instanceof DelosError) throw cause;
    throw new DelosError('io', `a pseudo-terminal can't be opened: ${(cause as Error).message}`, { cause });
  }
}

function makeRaw(fd: number): void {
  const termios = new Uint32Array(termiosSize / 4);
  demand('TCGETS', ioctl(fd, TCGETS, termios));
  for (const [at, bits] of cleared.entries()) termios[at] = (termios[at] as number) & ~bits;
  termios[2] = (termios[2] as number) | CS8;
  demand('TCSETS', ioctl(fd, TCSETS, termios));
}

function demand(request: string, result: number): number {
  if (result >= 0) return result;
  const errno = errnoName(-result);
  throw new DelosError('kernel-refused', `a pseudo-terminal can't be opened: ${request}: ${errno}`, { call: 'ioctl', errno });
}
