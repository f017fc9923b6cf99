import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Everyday } from './everyday.ts';

const applets = ['sh', 'cat', 'echo', 'ls', 'rm', 'mkdir', 'ln', 'chmod', 'touch', 'sleep', 'stat', 'id', 'mv', 'true'];

/** The tar of a small root file system with a shell, in `folder`. */
export function busyboxTar(folder: string): string {
  const file = path.join(folder, 'busybox.tar');
  if (fs.existsSync(file)) return file;
  const root = path.join(folder, 'busybox-root');
  for (const name of ['bin', 'etc', 'usr', 'tmp']) fs.mkdirSync(path.join(root, name), { recursive: true });
  fs.copyFileSync('/usr/bin/busybox', path.join(root, 'bin/busybox'));
  for (const applet of applets) fs.symlinkSync('busybox', path.join(root, 'bin', applet));
  fs.writeFileSync(path.join(root, 'etc/motd'), 'welcome\n');
  fs.writeFileSync(path.join(root, 'usr/old'), 'old\n');
  fs.chmodSync(path.join(root, 'tmp'), 0o1777);
  const same = ['--sort=name', '--owner=0', '--group=0', '--mtime=@1000000000'];
  const { status, stderr } = spawnSync('tar', [...same, '-C', root, '-cf', file, '.'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  return file;
}

/** The same as an image in the store of this `delos`. @returns its ID */
export function importBusybox(everyday: Everyday, name: string): string {
  return everyday.output('import', '-c', 'CMD ["sh"]', '-c', 'ENV PATH=/bin', '-c', 'LABEL kind=test', busyboxTar(everyday.data), name).trim();
}
