import { MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID } from '../abi/mount.ts';
import { cell } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import type { Build, Field } from './field.ts';
import { sysctlSteps } from './config/checks/sysctl.ts';
import { newMount } from './mount/filesystem.ts';
import { writeFile } from './open.ts';

/**
 * A procfs of our own that is mounted nowhere. What security depends on is written through it: no mount, symlink or race of the
 * container can lead the write elsewhere (CVE-2019-16884, CVE-2019-19921, CVE-2025-52881).
 */
const procfs = cell('procfs');

/** Whether anything is written through the private procfs: sysctls, labels. */
function needed({ config, facts }: Build): boolean {
  const { process, linux } = config;
  return Object.keys(linux?.sysctl ?? {}).length > 0 || (facts.apparmor && !!process?.apparmorProfile) || (facts.selinux && !!process?.selinuxLabel);
}

export const privateProcfs: Field = {
  at: [],
  support: 'full',
  init: (build) => (needed(build) ? openProcfs(build) : []),
};

/** Opens the private procfs, in whatever pid namespace the process is in. */
export function openProcfs(build: Build): Item[] {
  const attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return newMount(build, { type: 'proc', data: [], attributes }, procfs, 'sysctls and labels are written through a /proc of our own');
}

/** linux.sysctl: a file of /proc/sys each; dots are slashes. proc(5) */
export const sysctl: Field = {
  at: ['/linux/sysctl'],
  support: 'full',
  init: (build) =>
    Object.entries(build.config.linux?.sysctl ?? {}).flatMap(([name, value]) =>
      writeFile(build, procfs, `sys/${(sysctlSteps(name) ?? [name]).join('/')}`, value, `/linux/sysctl/${name.replaceAll('/', '~1')}`),
    ),
};

/** process.apparmorProfile: the profile from the next execve on. apparmor's attr/apparmor/exec, before 5.1 attr/exec */
export const apparmor: Field = {
  at: ['/process/apparmorProfile'],
  support: 'full',
  init: (build) => {
    const profile = build.config.process?.apparmorProfile;
    return profile && build.facts.apparmor ? writeFile(build, procfs, 'thread-self/attr/apparmor/exec', `exec ${profile}`, '/process/apparmorProfile') : [];
  },
};

/** process.selinuxLabel: the label from the next execve on. */
export const selinux: Field = {
  at: ['/process/selinuxLabel'],
  support: 'full',
  init: (build) => {
    const label = build.config.process?.selinuxLabel;
    return label && build.facts.selinux ? writeFile(build, procfs, 'thread-self/attr/exec', label, '/process/selinuxLabel') : [];
  },
};

export const closeProcfs: Field = {
  at: [],
  support: 'full',
  init: (build) => (needed(build) ? [call('close', [procfs], 'nothing more is written through it')] : []),
};
