import { cgroup, cgroupNamespace, joinCgroup } from './cgroup.ts';
import { channel, runtimeLeads } from './channel.ts';
import { consoleDevice, consoleSocket, controllingTerminal } from './console.ts';
import { boundingSet, capabilities, noNewPrivileges, user } from './credentials.ts';
import { closeDescriptors } from './descriptors.ts';
import { devices } from './devices.ts';
import type { Field } from './field.ts';
import { maskedPaths, readonlyPaths } from './hidden-paths.ts';
import { createContainerHooks, poststartHooks, runtimeHooks, startContainerHooks } from './hooks.ts';
import { domainname, hostname } from './hostname.ts';
import { openProcPid, pidFile, recordInit } from './init.ts';
import { oomScoreAdj, rlimits } from './limits.ts';
import { loopback } from './loopback.ts';
import { mounts } from './mount/index.ts';
import { netDevices } from './net-devices.ts';
import { joinCgroupNamespace } from './joining.ts';
import { awaitStart, closeOnExec, cwd, findProgram, makeCwd, openStart, program, umask } from './program.ts';
import { ready } from './ready.ts';
import { pivot, rootAttributes, rootfs } from './rootfs.ts';
import { ioPriority, memoryPolicy, personality, scheduler } from './scheduling.ts';
import { earlySeccomp, listenedSeccomp, seccomp } from './seccomp.ts';
import { keyring, reachable, session, unreachable } from './session.ts';
import { apparmor, closeProcfs, privateProcfs, selinux, sysctl } from './sysctl.ts';
import { timeOffsets } from './time-offsets.ts';
import { becomeRoot, userNamespace } from './user-namespace.ts';

/** Init waits here until its ids and its limits are set from outside. */
const outsideIsReady: Field = { at: [], support: 'full', ...runtimeLeads('ids and limits are set') };

/**
 * All there is to a container, in the order in which it happens. Each line says what has to come before it.
 */
export const order: readonly Field[] = [
  cgroup, // limits before there is anything to limit
  channel,
  consoleSocket, // while paths are the runtime's
  openStart,
  openProcPid,
  recordInit, // first of all once init exists: whatever happens now, `delete --force` finds it
  userNamespace, // init is nobody until its ids are mapped
  joinCgroup, // with the runtime's ids still, and before the cgroup namespace, whose root this becomes
  rlimits, // from outside: they may be raised
  oomScoreAdj,
  outsideIsReady, // it may join and make namespaces now

  becomeRoot,
  joinCgroupNamespace,
  cgroupNamespace, // before a cgroup2 is mounted, which shows it
  timeOffsets,
  session, // after the files of /proc/self that an undumpable process may not write
  loopback,
  netDevices, // before the hooks that may want to use them
  runtimeHooks, // they find the namespaces, and the root still the host's
  rootfs,
  mounts,
  devices, // into the /dev that was just mounted
  consoleDevice, // from the devpts that was just mounted
  maskedPaths, // over what was mounted, while the host's /dev/null is in sight
  readonlyPaths,
  makeCwd,
  createContainerHooks, // their paths are the runtime's
  pivot, // the host's files are gone from here on
  rootAttributes, // nothing more is made in the root
  controllingTerminal,
  keyring,
  hostname,
  domainname,
  privateProcfs,
  sysctl, // in the container's namespaces
  personality,
  scheduler,
  ioPriority,
  memoryPolicy,
  apparmor, // while the files of its /proc can be written
  selinux,
  closeProcfs,
  closeDescriptors, // before anything of the image can name one of them
  noNewPrivileges, // an unprivileged filter asks for it
  earlySeccomp, // a filter without it needs CAP_SYS_ADMIN
  boundingSet, // needs CAP_SETPCAP
  cwd, // as root, who may enter what the user may not
  umask,
  user, // needs CAP_SETUID
  capabilities, // none to spare from here on
  findProgram, // as the user, who must be able to run it
  listenedSeccomp, // while the runtime is there to take the listener
  reachable, // after the last change of ids, which takes it back
  ready,
  pidFile, // whoever waits for it may take the container for ready
  awaitStart,
  unreachable,
  startContainerHooks,
  closeOnExec,
  seccomp, // every call after it has to be in the profile
  program,
  poststartHooks, // the program runs
];
