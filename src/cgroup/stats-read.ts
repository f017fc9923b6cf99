import { existsSync, readdirSync } from 'node:fs';
import { readControlFile } from './control-file.ts';
import type { CgroupPaths } from './path.ts';
import { cgroupStats, type CgroupStats } from './stats.ts';

/** The statistics of a container's cgroup now. @throws DelosError io for a file that cannot be read or understood. */
export function readCgroupStats(paths: CgroupPaths): CgroupStats {
  const read = (controller: string, file: string): string | undefined => {
    const directory = paths[controller];
    return directory === undefined ? undefined : readControlFile(directory, file);
  };
  return cgroupStats(read, Object.keys(paths), hugePageSizes());
}

/** The sizes the kernel has, as the names of cgroup files spell them: `2MB`, `1GB`. */
export function hugePageSizes(): string[] {
  const folder = '/sys/kernel/mm/hugepages';
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const [, kilobytes] = /^hugepages-(\d+)kB$/.exec(name) ?? [];
    return kilobytes === undefined ? [] : [sizeName(Number(kilobytes))];
  });
}

function sizeName(kilobytes: number): string {
  if (kilobytes % 1_048_576 === 0) return `${kilobytes / 1_048_576}GB`;
  return kilobytes % 1024 === 0 ? `${kilobytes / 1024}MB` : `${kilobytes}KB`;
}
