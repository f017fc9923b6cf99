import fs from 'node:fs';
import path from 'node:path';
import { CLONE_NEWNS } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../abi/fcntl.ts';
import { MS_BIND, MS_PRIVATE, MS_REC, RESOLVE_IN_ROOT } from '../abi/mount.ts';
import { open_how } from '../abi/structs.ts';
import { runProgram } from '../oci/hook-process.ts';
import { label } from '../oci/field.ts';
import { how, relative } from '../oci/open.ts';
import { cell, cStrings } from '../plan/block.ts';
import { encode } from '../plan/encode.ts';
import { call, type Plan } from '../plan/step.ts';
import { spawned } from '../runtime/place.ts';

/**
 * Copies what an image has at the place of a volume into the volume, which is new, with owners, modes and attributes; so docker does it. The
 * layers are mounted in a namespace of their own, where no symlink of the image leads out of them.
 * @param lowers the image's layers, uppermost first, or the folder with all that it has
 * @param scratch a folder that can be made for it
 * @throws DelosError kernel-refused, when cp(1) fails too
 */
export async function fillVolume(lowers: readonly string[] | string, target: string, volume: string, scratch: string): Promise<void> {
  fs.mkdirSync(path.join(scratch, 'root'), { recursive: true });
  fs.mkdirSync(path.join(scratch, 'top'));
  try {
    const layers = typeof lowers === 'string' ? [] : lowers;
    for (const [index, lower] of layers.entries()) fs.symlinkSync(lower, path.join(scratch, String(index)));
    const mount = typeof lowers === 'string' ? ([lowers, 'root', 0, MS_BIND, 0] as const) : overlayOf(layers.length);
    await spawned.run(encode(copyPlan(mount, target, volume, scratch)), 0);
  } finally {
    fs.rmSync(scratch, { recursive: true });
  }
}

/** An overlay wants two folders at least, or one to write to. */
function overlayOf(layers: number): MountArguments {
  return ['overlay', 'root', 'overlay', 0, `lowerdir=${['top', ...Array.from({ length: layers }, (_, index) => index)].join(':')}`];
}

type MountArguments = readonly [source: string, target: string, type: string | 0, flags: number, data: string | 0];

function copyPlan(mount: MountArguments, target: string, volume: string, scratch: string): Plan {
  const why = 'what the image has there goes into the new volume';
  const [refused, nothing] = [label('refused'), label('the image has nothing there')];
  const [root, source] = [cell('image'), cell('source')];
  const folder = how(O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
  return {
    sections: [{
      name: 'copy',
      items: [
        call('trap', [refused], why),
        call('unshare', [CLONE_NEWNS], why),
        call('mount', [0, '/', 0, MS_REC | MS_PRIVATE, 0], why),
        call('chdir', [scratch], why),
        call('mount', mount, why),
        call('openat', [AT_FDCWD, 'root', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: root }),
        call('openat2', [root, relative(target), folder, open_how.size], why, { out: source, accept: { ENOENT: nothing, ENOTDIR: nothing } }),
        call('fchdir', [source], why),
        ...runProgram({ path: '/bin/cp', argv: cStrings(['cp', '-a', '--', '.', volume]), env: [], timeoutMs: -1 }, why),
        nothing,
        call('exit_group', [0], why),
        refused,
        call('exit_group', [1], 'the report is in the plan'),
      ],
    }],
  };
}
