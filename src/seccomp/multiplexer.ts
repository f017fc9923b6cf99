/**
 * i386 has two old system calls that stand for many: socketcall(2) and ipc(2) take in their first argument the number of the
 * call that is meant (<linux/net.h>, <linux/ipc.h>). A rule for `bind` must hold for socketcall(SYS_BIND) too, or a program
 * escapes it by the older way in.
 */

/** Name of a call to its number as the first argument of socketcall or ipc. */
const socketcall: Readonly<Record<string, number>> = {
  socket: 1, bind: 2, connect: 3, listen: 4, accept: 5, getsockname: 6, getpeername: 7, socketpair: 8, send: 9, recv: 10, sendto: 11,
  recvfrom: 12, shutdown: 13, setsockopt: 14, getsockopt: 15, sendmsg: 16, recvmsg: 17, accept4: 18, recvmmsg: 19, sendmmsg: 20,
};
const ipc: Readonly<Record<string, number>> = {
  semop: 1, semget: 2, semctl: 3, semtimedop: 4, msgsnd: 11, msgrcv: 12, msgget: 13, msgctl: 14, shmat: 21, shmdt: 22, shmget: 23, shmctl: 24,
};

export interface Multiplexed {
  readonly through: 'socketcall' | 'ipc';
  /** The multiplexer's first argument. */
  readonly call: number;
}

/** How i386 reaches a call through a multiplexer; undefined if it does not. */
export function multiplexed(name: string): Multiplexed | undefined {
  if (Object.hasOwn(socketcall, name)) return { through: 'socketcall', call: socketcall[name] ?? 0 };
  if (Object.hasOwn(ipc, name)) return { through: 'ipc', call: ipc[name] ?? 0 };
  return undefined;
}
