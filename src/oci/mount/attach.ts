import { AT_EMPTY_PATH, AT_RECURSIVE } from '../../abi/fcntl.ts';
import { MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, MS_REC } from '../../abi/mount.ts';
import { flagNames } from '../../abi/names.ts';
import { mount_attr } from '../../abi/structs.ts';
import { record, type Cell } from '../../plan/block.ts';
import { call, type Item, type Step } from '../../plan/step.ts';
import type { Build } from '../field.ts';
import type { Attributes, MountOptions } from './options.ts';

const names = (value: number | bigint): string => flagNames('MOUNT_ATTR_', value);

/** mount_setattr(2) on an open mount. */
export function setAttributes(mount: Cell, { set, clear }: Attributes, why: string, flags = 0): Step {
  const attributes = record(mount_attr, { attr_set: set, attr_clr: clear }, { attr_set: names, attr_clr: names });
  return call('mount_setattr', [mount, '', AT_EMPTY_PATH | flags, attributes, mount_attr.size], why);
}

/** The `r…` attributes and the propagation of a mount that is in its place. */
export function finish(mount: Cell, options: MountOptions, why: string): Item[] {
  const recursive = options.recursive.set | options.recursive.clear ? [setAttributes(mount, options.recursive, why, AT_RECURSIVE)] : [];
  const propagation = options.propagation.map((flags) =>
    call(
      'mount_setattr',
      [mount, '', AT_EMPTY_PATH | (flags & MS_REC ? AT_RECURSIVE : 0), record(mount_attr, { propagation: flags & ~MS_REC }, { propagation: (value) => flagNames('MS_', value) }), mount_attr.size],
      why,
    ),
  );
  return [...recursive, ...propagation];
}

/** Puts an open mount on the place in `cells.target`, and closes the place. */
export function attach({ cells }: Build, mount: Cell, why: string): Item[] {
  return [
    call('move_mount', [mount, '', cells.target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], why),
    call('close', [cells.target], why),
  ];
}
