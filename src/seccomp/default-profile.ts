/**
 * The profile of a container that brings none: what moby's default allows on x86-64 (github.com/moby/profiles, seccomp, 2026),
 * as a table of ours. Everything else gets EPERM, and what is newer than the table ENOSYS (see compileSeccomp).
 */
import { ENOSYS, EPERM } from '../abi/errno.ts';
import * as clone from '../abi/clone.ts';
import type { SeccompArgument, SeccompEntry, SeccompProfile } from './profile.ts';

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** Calls that every container may make. Not here: io_uring, keyrings, userfaultfd, and what acts on the whole machine. */
const always = `
  accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32 clock_adjtime clock_adjtime64
  clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect
  copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait
  epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark
  fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr
  fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
  futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
  getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32
  getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr
  getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents
  io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset
  landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek lremovexattr
  lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock
  mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
  mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep
  newfstatat _newselect open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
  ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read readahead
  readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat
  renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
  sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
  sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64
  sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority
  setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid setsockopt
  set_thread_area set_tid_address setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
  sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range
  syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask
  uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev
  arch_prctl modify_ldt
`;

/** What a capability adds; the kernel asks for the capability again, so without it there is nothing to gain but risk. */
const byCapability: Readonly<Record<string, string>> = {
  CAP_BPF: 'bpf',
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_PERFMON: 'perf_event_open',
  CAP_SYSLOG: 'syslog',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
    lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog
    umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime clock_settime64',
  CAP_SYS_TTY_CONFIG: 'vhangup',
};

/** Before Linux 4.8 a tracer could change a call after the filter had passed it. */
const tracing = 'process_vm_readv process_vm_writev ptrace';
const tracingIsSafe: KernelVersion = { major: 4, minor: 8 };

/**
 * Socket families below this one are allowed, above it only the listed: not those the kernel has removed (DECnet 12, ECONET 19,
 * ATMSVC 20, IRDA 23, WANPIPE 25, ISDN 34, CAIF 37), nor AF_ALG 38 (the kernel's ciphers) nor AF_VSOCK 40 (the hypervisor).
 */
const firstGap = 12;
const laterFamilies = [13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45];

/** PER_LINUX and PER_LINUX32, each also with UNAME26; 0xffffffff asks without changing anything. */
const personalities = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** clone(2) may not make these without CAP_SYS_ADMIN: 0x7e020000. */
const namespaces = clone.CLONE_NEWNS | clone.CLONE_NEWUTS | clone.CLONE_NEWIPC | clone.CLONE_NEWUSER | clone.CLONE_NEWPID | clone.CLONE_NEWNET |
  clone.CLONE_NEWCGROUP;

const made = new Map<string, SeccompProfile>();

/**
 * The default profile.
 * @param capabilities the container's bounding set, by name (`CAP_SYS_ADMIN`)
 * @param kernel of this machine
 * @returns for equal arguments the same object, so that it is compiled once
 */
export function defaultProfile(capabilities: readonly string[], kernel: KernelVersion): SeccompProfile {
  const relevant = Object.keys(byCapability).filter((name) => capabilities.includes(name));
  const traceable = kernel.major > tracingIsSafe.major || (kernel.major === tracingIsSafe.major && kernel.minor >= tracingIsSafe.minor);
  const key = `${traceable} ${relevant.join(' ')}`;
  let profile = made.get(key);
  if (!profile) {
    profile = makeProfile(relevant, traceable);
    made.set(key, profile);
  }
  return profile;
}

function makeProfile(capabilities: readonly string[], traceable: boolean): SeccompProfile {
  const allowed = [always, ...(traceable ? [tracing] : []), ...capabilities.map((name) => byCapability[name] ?? '')];
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      allow([...new Set(allowed.flatMap((names) => names.trim().split(/\s+/)))]),
      allow(['socket'], [first('SCMP_CMP_LT', firstGap), ...laterFamilies.map((family) => first('SCMP_CMP_EQ', family))]),
      allow(['personality'], personalities.map((personality) => first('SCMP_CMP_EQ', personality))),
      ...(capabilities.includes('CAP_SYS_ADMIN') ? [] : withoutAdmin),
    ],
  };
}

/** clone3's flags are behind a pointer, where a filter cannot look: ENOSYS makes C libraries use clone instead. */
const withoutAdmin: readonly SeccompEntry[] = [
  allow(['clone'], [{ index: 0, value: namespaces, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
];

function allow(names: readonly string[], args: readonly SeccompArgument[] = []): SeccompEntry {
  return { names, action: 'SCMP_ACT_ALLOW', args };
}

/** A condition on the first argument; several in one entry mean "or", since they are on one argument. */
function first(op: string, value: number): SeccompArgument {
  return { index: 0, value, op };
}
