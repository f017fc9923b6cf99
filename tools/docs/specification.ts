/**
 * The properties of config.json in the OCI runtime specification 1.3 (config.md, config-linux.md), as JSON pointers in the
 * specification's order; one for each thing that can be done or not done. Those for other systems than Linux are left out.
 */
export const properties: readonly string[] = [
  '/ociVersion',
  ...members('/root', 'path readonly'),
  '/mounts',
  ...members('/process', 'terminal consoleSize cwd env args rlimits apparmorProfile noNewPrivileges oomScoreAdj scheduler'),
  ...members('/process', 'selinuxLabel ioPriority execCPUAffinity'),
  ...members('/process/capabilities', 'effective bounding inheritable permitted ambient'),
  ...members('/process/user', 'uid gid umask additionalGids'),
  '/hostname',
  '/domainname',
  ...members('/linux', 'namespaces uidMappings gidMappings timeOffsets devices netDevices cgroupsPath'),
  ...members('/linux/resources', 'devices memory cpu blockIO hugepageLimits network pids rdma unified'),
  ...members('/linux', 'intelRdt memoryPolicy sysctl seccomp rootfsPropagation maskedPaths readonlyPaths mountLabel personality'),
  ...members('/hooks', 'prestart createRuntime createContainer startContainer poststart poststop'),
  '/annotations',
];

/** What is in no container's plan, or in no list that the page is made of: where it is done instead. */
export const withoutSteps: Readonly<Record<string, string>> = {
  '/ociVersion': 'checked when config.json is read',
  '/process/execCPUAffinity': 'for every process that `exec` adds; the container\'s own is left alone, as the specification says',
  '/hooks/poststop': 'at the end of `run`; otherwise by `delete`',
  '/annotations': 'kept with the container and given back by `state` and to hooks',
};

/** What is refused by name before anything is done (src/oci/config/checks/unsupported.ts). */
export const refused: readonly string[] = ['/linux/intelRdt'];

function members(parent: string, names: string): string[] {
  return names.split(' ').map((name) => `${parent}/${name}`);
}
