/** Structs that system calls take. `./dev abi` checks sizes and offsets against the C headers. */
import { struct } from '../lib/layout.ts';

/** <linux/sched.h>, clone3(2). */
export const clone_args = struct('clone_args', {
  flags: 'u64', pidfd: 'u64', child_tid: 'u64', parent_tid: 'u64', exit_signal: 'u64', stack: 'u64', stack_size: 'u64',
  tls: 'u64', set_tid: 'u64', set_tid_size: 'u64', cgroup: 'u64',
});

/** <linux/openat2.h>, openat2(2). */
export const open_how = struct('open_how', { flags: 'u64', mode: 'u64', resolve: 'u64' });

/** <sys/stat.h>, fstat(2). */
export const stat = struct('stat', {
  st_dev: 'u64', st_ino: 'u64', st_nlink: 'u64', st_mode: 'u32', st_uid: 'u32', st_gid: 'u32', __pad0: 'u32', st_rdev: 'u64', st_size: 'u64',
  st_blksize: 'u64', st_blocks: 'u64', 'st_atim.tv_sec': 'u64', 'st_atim.tv_nsec': 'u64', 'st_mtim.tv_sec': 'u64', 'st_mtim.tv_nsec': 'u64',
  'st_ctim.tv_sec': 'u64', 'st_ctim.tv_nsec': 'u64', '__glibc_reserved[0]': 'u64', '__glibc_reserved[1]': 'u64', '__glibc_reserved[2]': 'u64',
});

/** <linux/mount.h>, mount_setattr(2). */
export const mount_attr = struct('mount_attr', { attr_set: 'u64', attr_clr: 'u64', propagation: 'u64', userns_fd: 'u64' });

/** <linux/resource.h>, prlimit(2). */
export const rlimit64 = struct('rlimit64', { rlim_cur: 'u64', rlim_max: 'u64' });

/** <linux/sched/types.h>, sched_setattr(2). */
export const sched_attr = struct('sched_attr', {
  size: 'u32', sched_policy: 'u32', sched_flags: 'u64', sched_nice: 'i32', sched_priority: 'u32', sched_runtime: 'u64',
  sched_deadline: 'u64', sched_period: 'u64', sched_util_min: 'u32', sched_util_max: 'u32',
});

/** <linux/capability.h>, capset(2): the header and both halves of the three sets. */
export const cap_user_header = struct('__user_cap_header_struct', { version: 'u32', pid: 'i32' });
export const cap_user_data = struct('__user_cap_data_struct', { effective: 'u32', permitted: 'u32', inheritable: 'u32' });

/** <linux/filter.h>, seccomp(2). */
export const sock_fprog = struct('sock_fprog', { len: 'u16', filter: 'u64' });

/** <sys/socket.h>: struct msghdr and its parts, as the kernel has them on a 64-bit machine. */
export const iovec = struct('iovec', { iov_base: 'u64', iov_len: 'u64' });
export const msghdr = struct('msghdr', {
  msg_name: 'u64', msg_namelen: 'u64', msg_iov: 'u64', msg_iovlen: 'u64', msg_control: 'u64', msg_controllen: 'u64', msg_flags: 'u64',
});
/** A control message that carries one descriptor (SCM_RIGHTS): CMSG_SPACE(4) is 24 bytes, the last four are padding. */
export const cmsg_fd = struct('cmsghdr', { cmsg_len: 'u64', cmsg_level: 'u32', cmsg_type: 'u32', fd: 'u32', padding: 'u32' });

/** <asm/termios.h>: TIOCSWINSZ. */
export const winsize = struct('winsize', { ws_row: 'u16', ws_col: 'u16', ws_xpixel: 'u16', ws_ypixel: 'u16' });

/** <time.h>. */
export const timespec = struct('timespec', { tv_sec: 'u64', tv_nsec: 'u64' });

/** <linux/bpf.h>, bpf(2): the members of union bpf_attr that its commands use. */
export const bpf_prog_load = struct('bpf_attr', {
  prog_type: 'u32', insn_cnt: 'u32', insns: 'u64', license: 'u64', log_level: 'u32', log_size: 'u32', log_buf: 'u64',
  kern_version: 'u32', prog_flags: 'u32',
});
export const bpf_prog_attach = struct('bpf_attr', { target_fd: 'u32', attach_bpf_fd: 'u32', attach_type: 'u32', attach_flags: 'u32' });
export const bpf_prog_query = struct('bpf_attr', {
  'query.target_fd': 'u32', 'query.attach_type': 'u32', 'query.query_flags': 'u32', 'query.attach_flags': 'u32', 'query.prog_ids': 'u64',
  'query.prog_cnt': 'u32',
});
export const bpf_prog_get_fd_by_id = struct('bpf_attr', { prog_id: 'u32', next_id: 'u32', open_flags: 'u32' });
