/**
 * <asm/unistd_64.h>, <asm/unistd_32.h>, <asm/unistd_x32.h>: every system call of the three ABIs an x86-64 kernel serves, up to Linux 7.0.
 */

/** Added to the number of every x32 call; the columns below have it without. */
export const X32_SYSCALL_BIT = 0x4000_0000;

/** The ABIs in the order of the columns. */
export const abis = ['x86_64', 'i386', 'x32'] as const;
export type Abi = (typeof abis)[number];

/** Numbers in x86-64, i386 and x32 (there without X32_SYSCALL_BIT); -1: that ABI has no such call. */
export type Numbers = readonly [x86_64: number, i386: number, x32: number];

let table: ReadonlyMap<string, Numbers> | undefined;

/** Name to numbers. Made on first use: commands that start no container do not pay for it. */
export function syscallNumbers(): ReadonlyMap<string, Numbers> {
  return (table ??= new Map(Object.entries(rows())));
}

// oxlint-disable-next-line max-lines-per-function -- a table; a function because V8 reads it only when it is called
function rows(): Record<string, Numbers> {
  return {
    read: [0, 3, 0], write: [1, 4, 1], open: [2, 5, 2], close: [3, 6, 3], stat: [4, 106, 4], fstat: [5, 108, 5], lstat: [6, 107, 6],
    poll: [7, 168, 7], lseek: [8, 19, 8], mmap: [9, 90, 9], mprotect: [10, 125, 10], munmap: [11, 91, 11], brk: [12, 45, 12],
    rt_sigaction: [13, 174, 512], rt_sigprocmask: [14, 175, 14], rt_sigreturn: [15, 173, 513], ioctl: [16, 54, 514], pread64: [17, 180, 17],
    pwrite64: [18, 181, 18], readv: [19, 145, 515], writev: [20, 146, 516], access: [21, 33, 21], pipe: [22, 42, 22], select: [23, 82, 23],
    sched_yield: [24, 158, 24], mremap: [25, 163, 25], msync: [26, 144, 26], mincore: [27, 218, 27], madvise: [28, 219, 28],
    shmget: [29, 395, 29], shmat: [30, 397, 30], shmctl: [31, 396, 31], dup: [32, 41, 32], dup2: [33, 63, 33], pause: [34, 29, 34],
    nanosleep: [35, 162, 35], getitimer: [36, 105, 36], alarm: [37, 27, 37], setitimer: [38, 104, 38], getpid: [39, 20, 39],
    sendfile: [40, 187, 40], socket: [41, 359, 41], connect: [42, 362, 42], accept: [43, -1, 43], sendto: [44, 369, 44],
    recvfrom: [45, 371, 517], sendmsg: [46, 370, 518], recvmsg: [47, 372, 519], shutdown: [48, 373, 48], bind: [49, 361, 49],
    listen: [50, 363, 50], getsockname: [51, 367, 51], getpeername: [52, 368, 52], socketpair: [53, 360, 53], setsockopt: [54, 366, 541],
    getsockopt: [55, 365, 542], clone: [56, 120, 56], fork: [57, 2, 57], vfork: [58, 190, 58], execve: [59, 11, 520], exit: [60, 1, 60],
    wait4: [61, 114, 61], kill: [62, 37, 62], uname: [63, 122, 63], semget: [64, 393, 64], semop: [65, -1, 65], semctl: [66, 394, 66],
    shmdt: [67, 398, 67], msgget: [68, 399, 68], msgsnd: [69, 400, 69], msgrcv: [70, 401, 70], msgctl: [71, 402, 71], fcntl: [72, 55, 72],
    flock: [73, 143, 73], fsync: [74, 118, 74], fdatasync: [75, 148, 75], truncate: [76, 92, 76], ftruncate: [77, 93, 77],
    getdents: [78, 141, 78], getcwd: [79, 183, 79], chdir: [80, 12, 80], fchdir: [81, 133, 81], rename: [82, 38, 82], mkdir: [83, 39, 83],
    rmdir: [84, 40, 84], creat: [85, 8, 85], link: [86, 9, 86], unlink: [87, 10, 87], symlink: [88, 83, 88], readlink: [89, 85, 89],
    chmod: [90, 15, 90], fchmod: [91, 94, 91], chown: [92, 182, 92], fchown: [93, 95, 93], lchown: [94, 16, 94], umask: [95, 60, 95],
    gettimeofday: [96, 78, 96], getrlimit: [97, 76, 97], getrusage: [98, 77, 98], sysinfo: [99, 116, 99], times: [100, 43, 100],
    ptrace: [101, 26, 521], getuid: [102, 24, 102], syslog: [103, 103, 103], getgid: [104, 47, 104], setuid: [105, 23, 105],
    setgid: [106, 46, 106], geteuid: [107, 49, 107], getegid: [108, 50, 108], setpgid: [109, 57, 109], getppid: [110, 64, 110],
    getpgrp: [111, 65, 111], setsid: [112, 66, 112], setreuid: [113, 70, 113], setregid: [114, 71, 114], getgroups: [115, 80, 115],
    setgroups: [116, 81, 116], setresuid: [117, 164, 117], getresuid: [118, 165, 118], setresgid: [119, 170, 119],
    getresgid: [120, 171, 120], getpgid: [121, 132, 121], setfsuid: [122, 138, 122], setfsgid: [123, 139, 123], getsid: [124, 147, 124],
    capget: [125, 184, 125], capset: [126, 185, 126], rt_sigpending: [127, 176, 522], rt_sigtimedwait: [128, 177, 523],
    rt_sigqueueinfo: [129, 178, 524], rt_sigsuspend: [130, 179, 130], sigaltstack: [131, 186, 525], utime: [132, 30, 132],
    mknod: [133, 14, 133], uselib: [134, 86, -1], personality: [135, 136, 135], ustat: [136, 62, 136], statfs: [137, 99, 137],
    fstatfs: [138, 100, 138], sysfs: [139, 135, 139], getpriority: [140, 96, 140], setpriority: [141, 97, 141],
    sched_setparam: [142, 154, 142], sched_getparam: [143, 155, 143], sched_setscheduler: [144, 156, 144],
    sched_getscheduler: [145, 157, 145], sched_get_priority_max: [146, 159, 146], sched_get_priority_min: [147, 160, 147],
    sched_rr_get_interval: [148, 161, 148], mlock: [149, 150, 149], munlock: [150, 151, 150], mlockall: [151, 152, 151],
    munlockall: [152, 153, 152], vhangup: [153, 111, 153], modify_ldt: [154, 123, 154], pivot_root: [155, 217, 155],
    _sysctl: [156, 149, -1], prctl: [157, 172, 157], arch_prctl: [158, 384, 158], adjtimex: [159, 124, 159], setrlimit: [160, 75, 160],
    chroot: [161, 61, 161], sync: [162, 36, 162], acct: [163, 51, 163], settimeofday: [164, 79, 164], mount: [165, 21, 165],
    umount2: [166, 52, 166], swapon: [167, 87, 167], swapoff: [168, 115, 168], reboot: [169, 88, 169], sethostname: [170, 74, 170],
    setdomainname: [171, 121, 171], iopl: [172, 110, 172], ioperm: [173, 101, 173], create_module: [174, 127, -1],
    init_module: [175, 128, 175], delete_module: [176, 129, 176], get_kernel_syms: [177, 130, -1], query_module: [178, 167, -1],
    quotactl: [179, 131, 179], nfsservctl: [180, 169, -1], getpmsg: [181, 188, 181], putpmsg: [182, 189, 182], afs_syscall: [183, 137, 183],
    tuxcall: [184, -1, 184], security: [185, -1, 185], gettid: [186, 224, 186], readahead: [187, 225, 187], setxattr: [188, 226, 188],
    lsetxattr: [189, 227, 189], fsetxattr: [190, 228, 190], getxattr: [191, 229, 191], lgetxattr: [192, 230, 192],
    fgetxattr: [193, 231, 193], listxattr: [194, 232, 194], llistxattr: [195, 233, 195], flistxattr: [196, 234, 196],
    removexattr: [197, 235, 197], lremovexattr: [198, 236, 198], fremovexattr: [199, 237, 199], tkill: [200, 238, 200],
    time: [201, 13, 201], futex: [202, 240, 202], sched_setaffinity: [203, 241, 203], sched_getaffinity: [204, 242, 204],
    set_thread_area: [205, 243, -1], io_setup: [206, 245, 543], io_destroy: [207, 246, 207], io_getevents: [208, 247, 208],
    io_submit: [209, 248, 544], io_cancel: [210, 249, 210], get_thread_area: [211, 244, -1], lookup_dcookie: [212, 253, 212],
    epoll_create: [213, 254, 213], epoll_ctl_old: [214, -1, -1], epoll_wait_old: [215, -1, -1], remap_file_pages: [216, 257, 216],
    getdents64: [217, 220, 217], set_tid_address: [218, 258, 218], restart_syscall: [219, 0, 219], semtimedop: [220, -1, 220],
    fadvise64: [221, 250, 221], timer_create: [222, 259, 526], timer_settime: [223, 260, 223], timer_gettime: [224, 261, 224],
    timer_getoverrun: [225, 262, 225], timer_delete: [226, 263, 226], clock_settime: [227, 264, 227], clock_gettime: [228, 265, 228],
    clock_getres: [229, 266, 229], clock_nanosleep: [230, 267, 230], exit_group: [231, 252, 231], epoll_wait: [232, 256, 232],
    epoll_ctl: [233, 255, 233], tgkill: [234, 270, 234], utimes: [235, 271, 235], vserver: [236, 273, -1], mbind: [237, 274, 237],
    set_mempolicy: [238, 276, 238], get_mempolicy: [239, 275, 239], mq_open: [240, 277, 240], mq_unlink: [241, 278, 241],
    mq_timedsend: [242, 279, 242], mq_timedreceive: [243, 280, 243], mq_notify: [244, 281, 527], mq_getsetattr: [245, 282, 245],
    kexec_load: [246, 283, 528], waitid: [247, 284, 529], add_key: [248, 286, 248], request_key: [249, 287, 249], keyctl: [250, 288, 250],
    ioprio_set: [251, 289, 251], ioprio_get: [252, 290, 252], inotify_init: [253, 291, 253], inotify_add_watch: [254, 292, 254],
    inotify_rm_watch: [255, 293, 255], migrate_pages: [256, 294, 256], openat: [257, 295, 257], mkdirat: [258, 296, 258],
    mknodat: [259, 297, 259], fchownat: [260, 298, 260], futimesat: [261, 299, 261], newfstatat: [262, -1, 262], unlinkat: [263, 301, 263],
    renameat: [264, 302, 264], linkat: [265, 303, 265], symlinkat: [266, 304, 266], readlinkat: [267, 305, 267], fchmodat: [268, 306, 268],
    faccessat: [269, 307, 269], pselect6: [270, 308, 270], ppoll: [271, 309, 271], unshare: [272, 310, 272],
    set_robust_list: [273, 311, 530], get_robust_list: [274, 312, 531], splice: [275, 313, 275], tee: [276, 315, 276],
    sync_file_range: [277, 314, 277], vmsplice: [278, 316, 532], move_pages: [279, 317, 533], utimensat: [280, 320, 280],
    epoll_pwait: [281, 319, 281], signalfd: [282, 321, 282], timerfd_create: [283, 322, 283], eventfd: [284, 323, 284],
    fallocate: [285, 324, 285], timerfd_settime: [286, 325, 286], timerfd_gettime: [287, 326, 287], accept4: [288, 364, 288],
    signalfd4: [289, 327, 289], eventfd2: [290, 328, 290], epoll_create1: [291, 329, 291], dup3: [292, 330, 292], pipe2: [293, 331, 293],
    inotify_init1: [294, 332, 294], preadv: [295, 333, 534], pwritev: [296, 334, 535], rt_tgsigqueueinfo: [297, 335, 536],
    perf_event_open: [298, 336, 298], recvmmsg: [299, 337, 537], fanotify_init: [300, 338, 300], fanotify_mark: [301, 339, 301],
    prlimit64: [302, 340, 302], name_to_handle_at: [303, 341, 303], open_by_handle_at: [304, 342, 304], clock_adjtime: [305, 343, 305],
    syncfs: [306, 344, 306], sendmmsg: [307, 345, 538], setns: [308, 346, 308], getcpu: [309, 318, 309], process_vm_readv: [310, 347, 539],
    process_vm_writev: [311, 348, 540], kcmp: [312, 349, 312], finit_module: [313, 350, 313], sched_setattr: [314, 351, 314],
    sched_getattr: [315, 352, 315], renameat2: [316, 353, 316], seccomp: [317, 354, 317], getrandom: [318, 355, 318],
    memfd_create: [319, 356, 319], kexec_file_load: [320, -1, 320], bpf: [321, 357, 321], execveat: [322, 358, 545],
    userfaultfd: [323, 374, 323], membarrier: [324, 375, 324], mlock2: [325, 376, 325], copy_file_range: [326, 377, 326],
    preadv2: [327, 378, 546], pwritev2: [328, 379, 547], pkey_mprotect: [329, 380, 329], pkey_alloc: [330, 381, 330],
    pkey_free: [331, 382, 331], statx: [332, 383, 332], io_pgetevents: [333, 385, 333], rseq: [334, 386, 334], uretprobe: [335, -1, 335],
    uprobe: [336, -1, 336], pidfd_send_signal: [424, 424, 424], io_uring_setup: [425, 425, 425], io_uring_enter: [426, 426, 426],
    io_uring_register: [427, 427, 427], open_tree: [428, 428, 428], move_mount: [429, 429, 429], fsopen: [430, 430, 430],
    fsconfig: [431, 431, 431], fsmount: [432, 432, 432], fspick: [433, 433, 433], pidfd_open: [434, 434, 434], clone3: [435, 435, 435],
    close_range: [436, 436, 436], openat2: [437, 437, 437], pidfd_getfd: [438, 438, 438], faccessat2: [439, 439, 439],
    process_madvise: [440, 440, 440], epoll_pwait2: [441, 441, 441], mount_setattr: [442, 442, 442], quotactl_fd: [443, 443, 443],
    landlock_create_ruleset: [444, 444, 444], landlock_add_rule: [445, 445, 445], landlock_restrict_self: [446, 446, 446],
    memfd_secret: [447, 447, 447], process_mrelease: [448, 448, 448], futex_waitv: [449, 449, 449],
    set_mempolicy_home_node: [450, 450, 450], cachestat: [451, 451, 451], fchmodat2: [452, 452, 452], map_shadow_stack: [453, 453, 453],
    futex_wake: [454, 454, 454], futex_wait: [455, 455, 455], futex_requeue: [456, 456, 456], statmount: [457, 457, 457],
    listmount: [458, 458, 458], lsm_get_self_attr: [459, 459, 459], lsm_set_self_attr: [460, 460, 460], lsm_list_modules: [461, 461, 461],
    mseal: [462, 462, 462], setxattrat: [463, 463, 463], getxattrat: [464, 464, 464], listxattrat: [465, 465, 465],
    removexattrat: [466, 466, 466], open_tree_attr: [467, 467, 467], file_getattr: [468, 468, 468], file_setattr: [469, 469, 469],
    listns: [470, 470, 470], rseq_slice_yield: [471, 471, 471], waitpid: [-1, 7, -1], break: [-1, 17, -1], oldstat: [-1, 18, -1],
    umount: [-1, 22, -1], stime: [-1, 25, -1], oldfstat: [-1, 28, -1], stty: [-1, 31, -1], gtty: [-1, 32, -1], nice: [-1, 34, -1],
    ftime: [-1, 35, -1], prof: [-1, 44, -1], signal: [-1, 48, -1], lock: [-1, 53, -1], mpx: [-1, 56, -1], ulimit: [-1, 58, -1],
    oldolduname: [-1, 59, -1], sigaction: [-1, 67, -1], sgetmask: [-1, 68, -1], ssetmask: [-1, 69, -1], sigsuspend: [-1, 72, -1],
    sigpending: [-1, 73, -1], oldlstat: [-1, 84, -1], readdir: [-1, 89, -1], profil: [-1, 98, -1], socketcall: [-1, 102, -1],
    olduname: [-1, 109, -1], idle: [-1, 112, -1], vm86old: [-1, 113, -1], ipc: [-1, 117, -1], sigreturn: [-1, 119, -1],
    sigprocmask: [-1, 126, -1], bdflush: [-1, 134, -1], _llseek: [-1, 140, -1], _newselect: [-1, 142, -1], vm86: [-1, 166, -1],
    ugetrlimit: [-1, 191, -1], mmap2: [-1, 192, -1], truncate64: [-1, 193, -1], ftruncate64: [-1, 194, -1], stat64: [-1, 195, -1],
    lstat64: [-1, 196, -1], fstat64: [-1, 197, -1], lchown32: [-1, 198, -1], getuid32: [-1, 199, -1], getgid32: [-1, 200, -1],
    geteuid32: [-1, 201, -1], getegid32: [-1, 202, -1], setreuid32: [-1, 203, -1], setregid32: [-1, 204, -1], getgroups32: [-1, 205, -1],
    setgroups32: [-1, 206, -1], fchown32: [-1, 207, -1], setresuid32: [-1, 208, -1], getresuid32: [-1, 209, -1], setresgid32: [-1, 210, -1],
    getresgid32: [-1, 211, -1], chown32: [-1, 212, -1], setuid32: [-1, 213, -1], setgid32: [-1, 214, -1], setfsuid32: [-1, 215, -1],
    setfsgid32: [-1, 216, -1], fcntl64: [-1, 221, -1], sendfile64: [-1, 239, -1], statfs64: [-1, 268, -1], fstatfs64: [-1, 269, -1],
    fadvise64_64: [-1, 272, -1], fstatat64: [-1, 300, -1], clock_gettime64: [-1, 403, -1], clock_settime64: [-1, 404, -1],
    clock_adjtime64: [-1, 405, -1], clock_getres_time64: [-1, 406, -1], clock_nanosleep_time64: [-1, 407, -1],
    timer_gettime64: [-1, 408, -1], timer_settime64: [-1, 409, -1], timerfd_gettime64: [-1, 410, -1], timerfd_settime64: [-1, 411, -1],
    utimensat_time64: [-1, 412, -1], pselect6_time64: [-1, 413, -1], ppoll_time64: [-1, 414, -1], io_pgetevents_time64: [-1, 416, -1],
    recvmmsg_time64: [-1, 417, -1], mq_timedsend_time64: [-1, 418, -1], mq_timedreceive_time64: [-1, 419, -1],
    semtimedop_time64: [-1, 420, -1], rt_sigtimedwait_time64: [-1, 421, -1], futex_time64: [-1, 422, -1],
    sched_rr_get_interval_time64: [-1, 423, -1],
  };
}
