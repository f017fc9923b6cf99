import {
  FSCONFIG_CMD_CREATE, FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, MOUNT_ATTR_RDONLY,
} from '../../abi/mount.ts';
import type { Cell } from '../../plan/block.ts';
import { call, type Item } from '../../plan/step.ts';
import type { Build } from '../field.ts';
import type { MountOptions } from './options.ts';

/** A file system to be made, in the words of fsopen(2). */
export interface FileSystem {
  readonly type: string;
  readonly source?: string;
  /** `size=64k` or a bare flag. */
  readonly data: readonly string[];
  /** MOUNT_ATTR_ bits of its mount. */
  readonly attributes: number;
}

/** fsopen, its configuration one call an option, fsmount: a mount that is nowhere yet, in `out`. */
export function newMount({ cells }: Build, system: FileSystem, out: Cell, why: string): Item[] {
  const { file } = cells;
  const options = system.source === undefined ? system.data : [`source=${system.source}`, ...system.data];
  return [
    call('fsopen', [system.type, FSOPEN_CLOEXEC], why, { out: file }),
    ...options.map((option) => {
      const equals = option.indexOf('=');
      return equals < 0
        ? call('fsconfig', [file, FSCONFIG_SET_FLAG, option, 0, 0], why)
        : call('fsconfig', [file, FSCONFIG_SET_STRING, option.slice(0, equals), option.slice(equals + 1), 0], why);
    }),
    call('fsconfig', [file, FSCONFIG_CMD_CREATE, 0, 0, 0], why),
    call('fsmount', [file, FSMOUNT_CLOEXEC, system.attributes], why, { out }),
    call('close', [file], why),
  ];
}

/**
 * The file system a mount of config.json asks for.
 * @param label linux.mountLabel: SELinux's context= for what the mount holds
 */
export function fileSystemOf(type: string, source: string | undefined, options: MountOptions, label: string | undefined): FileSystem {
  const readonly = options.attributes.set & MOUNT_ATTR_RDONLY ? ['ro'] : [];
  const context = label && labelled.has(type) ? [`context=${label}`] : [];
  return {
    type,
    ...(source !== undefined && { source }),
    data: [...options.data, ...options.flags, ...context, ...readonly],
    attributes: options.attributes.set,
  };
}

/** The kernel's own file systems that take a label; proc and sysfs have theirs from the policy. */
const labelled = new Set(['tmpfs', 'mqueue', 'devpts', 'overlay']);
