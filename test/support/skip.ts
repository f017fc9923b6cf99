import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { readCgroupHost } from '../../src/cgroup/host.ts';

/** What a test can ask of its host; any other word is a program that has to be in the PATH. */
type Need = 'root' | 'busybox' | 'cgroups' | 'user namespaces' | (string & {});

/** For the `skip` of node:test: false when all is there, else why the test cannot run here. */
export function skipUnless(...needs: readonly Need[]): string | false {
  return needs.map(reason).find((found) => found !== undefined) ?? false;
}

function reason(need: Need): string | undefined {
  switch (need) {
    case 'root':
      return process.geteuid?.() === 0 ? undefined : 'needs root';
    case 'busybox':
      return fs.existsSync('/usr/bin/busybox') ? undefined : 'needs /usr/bin/busybox (Debian: busybox-static)';
    case 'cgroups':
      return readCgroupHost().hierarchies.length > 0 ? undefined : 'no cgroups are mounted';
    case 'user namespaces':
      return spawnSync('unshare', ['--user', 'true']).status === 0 ? undefined : 'this kernel allows no user namespace here';
    default:
      return spawnSync('sh', ['-c', 'command -v "$0"', need]).status === 0 ? undefined : `${need} is not installed`;
  }
}
