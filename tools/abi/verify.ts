import { compile } from './compile.ts';
import type { Verdict } from './compile.ts';
import { columnFacts, exportedFacts } from './facts.ts';

/** The kernel's own headers. */
const kernelHeaders = [
  ...['asm/errno.h', 'asm/ioctls.h', 'asm/resource.h', 'asm/signal.h', 'asm/termios.h', 'asm/unistd.h'],
  ...['linux/audit.h', 'linux/bpf.h', 'linux/capability.h', 'linux/close_range.h', 'linux/fcntl.h', 'linux/filter.h'],
  ...['linux/if_link.h', 'linux/ioprio.h', 'linux/keyctl.h', 'linux/kvm.h', 'linux/magic.h', 'linux/memfd.h', 'linux/mempolicy.h', 'linux/mount.h'],
  ...['linux/netlink.h', 'linux/nsfs.h', 'linux/openat2.h', 'linux/personality.h', 'linux/pidfd.h', 'linux/prctl.h', 'linux/resource.h'],
  ...['linux/rtnetlink.h', 'linux/sched.h', 'linux/sched/types.h', 'linux/seccomp.h', 'linux/sockios.h', 'linux/stat.h', 'linux/time.h'],
  ...['linux/fib_rules.h', 'linux/netfilter.h', 'linux/netfilter/nf_conntrack_common.h', 'linux/netfilter/nf_nat.h'],
  ...['linux/netfilter/nf_tables.h', 'linux/netfilter/nfnetlink.h', 'linux/netfilter/nfnetlink_conntrack.h', 'linux/veth.h', 'linux/wait.h'],
];

/** What only the C library spells out, and what clashes with the kernel's headers. */
const libraryHeaders = ['linux/if.h', 'fcntl.h', 'sched.h', 'signal.h', 'sys/mman.h', 'sys/socket.h', 'sys/un.h', 'sys/mount.h', 'sys/stat.h', 'sys/file.h', 'sys/epoll.h', 'sys/wait.h', 'poll.h', 'unistd.h'];

/** Constants, layouts and the calls of plans, against the kernel's headers, and what these do not know against the C library's. */
export async function verifyExports(): Promise<Verdict> {
  const kernel = await compile(await exportedFacts(), kernelHeaders);
  const library = await compile(kernel.unknown, libraryHeaders);
  return settle({ same: [...kernel.same, ...library.same], other: [...kernel.other, ...library.other], unknown: library.unknown });
}

/** A layout with a member that C does not have (a buffer that follows it, say) is larger by it; its size then says nothing. */
function settle(verdict: Verdict): Verdict {
  const extended = new Set(verdict.unknown.map(({ source }) => source.replace(/\.[^.]+$/, '')));
  const excused = verdict.other.filter(({ source }) => extended.has(source.replace(/, its size$/, '')));
  return { ...verdict, other: verdict.other.filter((fact) => !excused.includes(fact)), unknown: [...verdict.unknown, ...excused] };
}

/** The table of all system calls, column by column. */
export async function verifyColumns(): Promise<Verdict> {
  const columns = await Promise.all([
    compile(columnFacts('x86_64'), ['asm/unistd.h']),
    compile(columnFacts('i386'), ['asm/unistd.h'], '-D__i386__'),
    compile(columnFacts('x32'), ['asm/unistd.h'], '-D__ILP32__'),
  ]);
  return {
    same: columns.flatMap(({ same }) => same),
    other: columns.flatMap(({ other }) => other),
    unknown: columns.flatMap(({ unknown }) => unknown),
  };
}
