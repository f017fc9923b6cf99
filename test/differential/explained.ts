import type { Peer } from '../support/peers.ts';

/** A difference that is meant to be there. */
export interface Explanation {
  readonly peer: Exclude<Peer['name'], 'delos'>;
  /** Of the view. */
  readonly key: RegExp;
  /** Names of cases; all of them when it is left out. */
  readonly cases?: RegExp;
  /** It depends on how fast the machine is: it may be missing. */
  readonly sometimes?: boolean;
  readonly why: string;
}

const everywhere: readonly Explanation[] = [
  { peer: 'runc', key: /^descriptors\./, why: 'runc copies between its own stdio and pipes of the container; ours and crun’s container has the caller’s' },
  { peer: 'runc', key: /^device c 10:200 rwm$/, why: 'runc 1.1 lets every container use /dev/net/tun; 1.2 does not' },
  { peer: 'crun', key: /^device c 5:1 rwm$/, why: 'crun allows the console of the machine; the container’s own is a pty' },
  { peer: 'crun', key: /^device /, cases: resourcesWithoutDevices(), why: 'without rules for devices crun allows them all; we, like runc, the default ones' },
  { peer: 'runc', key: /^mountinfo.*(?:super|options|filesystem|root)$/, cases: /^no mounts but proc$/, why: 'runc masks a file with /dev/null of the container, which here is its image’s; we with the host’s, since the container may have changed its own (CVE-2025-31133)' },
  { peer: 'runc', key: /^mountinfo\.(?:\/proc\/(?:keys|timer_list)|\/etc\/passwd) (?:filesystem|options|super)$/, why: 'as above: masked with /dev/null of the container' },
  { peer: 'crun', key: /^mountinfo\.(?:\/proc\/acpi|\/sys\/firmware|\/opt) super$/, why: 'our tmpfs over a masked folder is read-only itself, not only where it is mounted' },
  { peer: 'crun', key: /^mountinfo\.(?:\/proc\/(?:keys|timer_list)|\/etc\/passwd) options$/, why: 'crun mounts the masking /dev/null read-only, which has no effect on a device' },
  { peer: 'runc', key: /^mountinfo\.\/sys\/fs\/cgroup(?: options|\/systemd filesystem)$/, why: 'the tmpfs that holds the v1 hierarchies is read-only like them; the source of a v1 hierarchy is only a name' },
  { peer: 'crun', key: /^mountinfo\.\/sys\/fs\/cgroup(?: (?:options|filesystem|super)|\/\w+ filesystem)$/, why: 'as above; and crun limits that tmpfs by a size' },
  { peer: 'crun', key: /^writing\.\/sys\/fs\/cgroup$/, why: 'the tmpfs that holds the v1 hierarchies is read-only like them' },
  { peer: 'crun', key: /^mountinfo\.\/sys super$/, why: 'our read-only sysfs and tmpfs are so themselves, not only where they are mounted' },
  { peer: 'crun', key: /^cgroup\.unified/, why: 'crun runs where version 2 of cgroups is out of its sight (peers.ts)' },
  {
    peer: 'runc', key: /^cgroup\.unified\/hugetlb\./, cases: /^as runc spec has it$/, sometimes: true,
    why: 'our first container hands the controller down to the folder that both are in; runc, at the same time, may have been there before',
  },
  { peer: 'runc', key: /^tree\.\/dev\/core$/, why: 'runc leaves the link out where the kernel has no /proc/kcore; crun and we always make it' },
];

/** Every case that replaces the resources by some without device rules. */
function resourcesWithoutDevices(): RegExp {
  return /^(?:memory|share|quota|period|no quota|bursts|idle|certain|processes|no process|rates|no rules)/;
}

const ofProcesses: readonly Explanation[] = [
  { peer: 'crun', key: /^environment\.HOME$/, cases: /passwd|a file over a file|masked/, why: 'crun sets no HOME for a user without an entry; we, like runc, say /' },
  { peer: 'runc', key: /^environment\.HOME$/, cases: /a file over a file|masked/, why: 'a plan is made before there are mounts: /etc/passwd is the image’s, not what is mounted over it' },
  { peer: 'crun', key: /^cmdline$/, cases: /from the folder to begin in/, why: 'crun makes the path absolute; argv[0] is not the runtime’s' },
  { peer: 'runc', key: /^(?:exit|says why)$/, cases: /^a program without PATH$/, why: 'execvp(3), which the specification names, looks in /bin and /usr/bin when there is no PATH' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /^a program without PATH$/, why: 'as above' },
  { peer: 'runc', key: /^personality$/, cases: /personality/, why: 'runc 1.1 does not know linux.personality' },
];

const ofFilesystems: readonly Explanation[] = [
  { peer: 'runc', key: /^(?:exit|says why)$/, cases: /root: r?unbindable/, why: 'runc cannot bind masked paths in an unbindable root; we make the root unbindable last' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /root: runbindable/, why: 'as above' },
  { peer: 'runc', key: /^mountinfo.* propagation$/, cases: /root: r?shared/, why: 'runc 1.1 shares the host’s root and pivots away from it; later ones, crun and we share the container’s' },
  { peer: 'crun', key: /^mountinfo\.\/mnt propagation$/, cases: /^a mount that is r?(?:shared|slave|unbindable)$/, why: 'crun 1.8 makes mounts private again behind the option' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /other recursive flags/, why: 'crun 1.8 knows no recursive flag but rro' },
  { peer: 'runc', key: /^(?:tree|hidden)\.\/(?:mnt|opt)$/, cases: /tmpfs|^times$|options that undo|synchronous|link/, why: 'runc gives a tmpfs the mode of the folder below, even against a mode in its options; crun and we leave it to the kernel, which says 1777' },
  { peer: 'runc', key: /^mountinfo\.\/opt (?:filesystem|super)$/, cases: /what was below/, why: 'tmpcopyup: we lay an empty tmpfs over the folder, nothing has to be copied' },
  { peer: 'crun', key: /^(?:mountinfo\.\/opt (?:filesystem|super)|tree\.\/opt)$/, cases: /what was below/, why: 'as above; and crun forgets the folder’s mode' },
  { peer: 'runc', key: /^mountinfo\.\/mnt super$/, cases: /a tmpfs that is read-only/, why: 'our read-only tmpfs is so itself' },
  { peer: 'crun', key: /^mountinfo\.\/mnt super$/, cases: /a tmpfs that is read-only/, why: 'as above' },
  { peer: 'crun', key: /\/mnt/, cases: /options that undo others/, why: 'crun 1.8 forgets that a later option undoes an earlier one' },
  { peer: 'runc', key: /^(?:exit|says why)$/, cases: /^defaults$/, why: 'runc 1.1 hands `defaults` to the filesystem, which refuses it' },
  { peer: 'runc', key: /^writing\.\/sys\/fs\/cgroup$/, cases: /cgroups that can be written to/, why: 'runc makes the tmpfs that holds v1 hierarchies read-only in this case only' },
];

const ofIsolation: readonly Explanation[] = [
  { peer: 'crun', key: /^cgroup$/, cases: /without a namespace: cgroup/, why: 'version 2 is out of crun’s sight (peers.ts)' },
  { peer: 'runc', key: /^tree\.\/dev\/mqueue$/, cases: /^users/, why: 'mqueue belongs to whoever mounts it: runc changes its uid before' },
  { peer: 'crun', key: /^tree\.\/dev\/mqueue$/, cases: /^users/, why: 'mqueue belongs to whoever mounts it: crun changes its uid and gid before' },
  { peer: 'crun', key: /^mountinfo\.\/dev\/\w+ options$/, cases: /^users/, why: 'crun binds devices of the host with nosuid and noexec, which mean nothing for a device' },
  { peer: 'crun', key: /^mountinfo\.\/sys\/fs\/cgroup/, cases: /a network of the host/, why: 'crun binds the host’s /sys without what is mounted in it' },
  { peer: 'runc', key: /^host$/, cases: /name for the domain/, why: 'runc 1.1 does not know domainname' },
  { peer: 'runc', key: /^(?:exit|says why)$/, cases: /^devices$/, why: 'runc refuses a device in place of a default one that it has made itself' },
];

const ofHooks: readonly Explanation[] = [
  { peer: 'runc', key: /^calls\.createContainer$/, cases: /^hooks$/, why: 'these hooks of runc begin in the root of the container, of crun and ours in the bundle' },
  { peer: 'crun', key: /^calls\.(?:prestart|create\w+|startContainer)$/, cases: /^hooks$/, why: 'crun has other words for the status before the program runs; ours are runc’s' },
  { peer: 'crun', key: /^says why$/, cases: /^hooks$/, sometimes: true, why: 'crun complains of a poststart hook that it runs when the container has ended already' },
  { peer: 'crun', key: /^exit$/, cases: /hook that (?:fails|is missing)/, why: 'crun’s own exit code for a failed hook; ours is runc’s' },
  { peer: 'crun', key: /^(?:says why|stdout)$/, cases: /hook that fails: poststart/, why: 'crun only warns; the specification (lifecycle, step 9) asks for an error, and the container to be stopped' },
  { peer: 'crun', key: /^says why$/, cases: /hook that fails: poststop/, sometimes: true, why: 'crun warns of it when it still has somebody to warn; of ours see below' },
  { peer: 'runc', key: /^says why$/, cases: /hook that fails: poststop/, why: 'a plan has no step that depends on an exit code, so `run` does not warn; `delete` does' },
];

const ofResources: readonly Explanation[] = [
  { peer: 'crun', key: /^(?:cgroup|device)/, cases: /processors that are missing/, why: 'crun leaves the cgroup behind when it fails' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /^no quota$|^processes without limit$/, why: 'crun 1.8 does not take -1 for no limit on version 1' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /^weight of blocks$/, why: 'blkio.weight is missing in this kernel; we, like runc, use blkio.bfq.weight' },
  { peer: 'runc', key: /^(?:exit|says why)$/, cases: /^huge pages$|^version 2 by name$/, why: 'the hugetlb controller is on version 2 here, which runc does not look at beside version 1' },
  { peer: 'crun', key: /^(?:exit|says why)$/, cases: /^huge pages$|^version 2 by name$/, why: 'as above' },
  { peer: 'runc', key: /^cgroup\.cpu\/cpu\.(?:idle|shares|cfs_burst_us)$/, cases: /^idle$|^bursts/, why: 'runc 1.1 does not know cpu.idle and cpu.burst' },
  { peer: 'crun', key: /^cgroup\.cpu\/cpu\.cfs_burst_us$/, cases: /^bursts/, why: 'crun 1.8 does not know cpu.burst' },
];

export const explanations: readonly Explanation[] = [...everywhere, ...ofProcesses, ...ofFilesystems, ...ofIsolation, ...ofHooks, ...ofResources];
