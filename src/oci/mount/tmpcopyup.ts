import { FSCONFIG_CMD_CREATE, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC } from '../../abi/mount.ts';
import { stat } from '../../abi/structs.ts';
import { Address, Block, Cell, member, record } from '../../plan/block.ts';
import { call, type Item } from '../../plan/step.ts';
import type { Mount } from '../config/types.ts';
import { label, type Build } from '../field.ts';
import { openInRoot, openTarget } from '../open.ts';
import { attach, finish } from './attach.ts';
import { fileSystemOf, newMount } from './filesystem.ts';
import type { MountOptions } from './options.ts';

/**
 * `tmpcopyup`: a tmpfs that begins with what the image has at its place. It is an overlay whose upper layer is the tmpfs and
 * whose lower is the image's directory: nothing is copied until it is written to, and the size limit holds.
 */
export function copyUpMount(build: Build, mount: Mount, options: MountOptions, why: string): Item[] {
  const { target, mount: opened, directory: layer, file } = build.cells;
  const { path, digits } = descriptorPath();
  const { mode, look } = rootMode(build, mount.destination, options, why);
  const set = (key: string, value: string | Block): Item => call('fsconfig', [file, FSCONFIG_SET_STRING, key, value, 0], why);
  return [
    ...look,
    ...openTarget(build, mount.destination, 'directory', why),
    ...newMount(build, fileSystemOf('tmpfs', 'tmpfs', { ...options, attributes: { set: 0, clear: 0 } }, build.config.linux?.mountLabel), layer, why),
    call('mkdirat', [layer, 'upper', 0o755], why),
    call('fchmodat', [layer, 'upper', mode], why),
    call('mkdirat', [layer, 'work', 0o755], why),
    call('fchdir', [layer], why),
    call('decimal', [digits, target], why),
    call('fsopen', ['overlay', FSOPEN_CLOEXEC], why, { out: file }),
    set('source', 'tmpfs'),
    set('lowerdir', path),
    set('upperdir', 'upper'),
    set('workdir', 'work'),
    call('fsconfig', [file, FSCONFIG_CMD_CREATE, 0, 0, 0], why),
    call('fsmount', [file, FSMOUNT_CLOEXEC, options.attributes.set], why, { out: opened }),
    call('close', [file], why),
    // A mount that is nowhere lives as long as its descriptor, and the overlay takes its copy of it when it is made.
    call('close', [layer], why),
    ...attach(build, opened, why),
    ...finish(opened, options, `${why}/options`),
    call('close', [opened], why),
    call('chdir', ['/'], why),
  ];
}

/**
 * The overlay's root has the mode of its upper layer: what the options say, else that of the image's directory, else what the kernel
 * gives a tmpfs. `look` finds it out.
 */
function rootMode(build: Build, path: string, { data }: MountOptions, why: string): { mode: number | Cell; look: Item[] } {
  const asked = data.findLast((option) => /^mode=[0-7]+$/.test(option));
  if (asked !== undefined) return { mode: Number.parseInt(asked.slice(5), 8), look: [] };
  const { target } = build.cells;
  const status = record(stat, { st_mode: 0o1777 }, { st_mode: (value) => `0${value.toString(8)}` });
  const missing = label(`${path} has no mode yet`);
  const look = [
    openInRoot(build, path, target, why, { ENOENT: missing }),
    call('fstat', [target, status], why),
    call('close', [target], why),
    missing,
  ];
  return { mode: member(status, stat, 'st_mode'), look };
}

/** `/proc/self/fd/N`, N written when the plan runs. */
function descriptorPath(): { path: Block; digits: Address } {
  const prefix = new TextEncoder().encode('/proc/self/fd/');
  const bytes = new Uint8Array(prefix.length + 16);
  bytes.set(prefix);
  const path = new Block(bytes, () => '"/proc/self/fd/N"');
  return { path, digits: new Address(new Cell('N', path, prefix.length)) };
}
