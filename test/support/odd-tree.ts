import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Tree, walk } from '../../src/layers/walk.ts';

/** Runs a program that must end well; gives what it said. */
export function must(program: string, args: readonly string[], options: { cwd?: string; input?: string | Buffer } = {}): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { maxBuffer: 1 << 30, ...options });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''} ${stderr}`);
  return stdout;
}

/** Writes some of everything that an image can hold: needs root. Times are the same each time. */
export function makeOddTree(folder: string): void {
  const at = (name: string): string => path.join(folder, name);
  for (const name of ['bin', 'etc/empty', 'var/lib/odd', 'dev', `deep/${'n'.repeat(120)}/${'m'.repeat(120)}`]) fs.mkdirSync(at(name), { recursive: true });
  fs.writeFileSync(at('bin/tool'), Buffer.alloc(300_000, 'tool'));
  fs.linkSync(at('bin/tool'), at('bin/tool-again'));
  fs.linkSync(at('bin/tool'), at('var/lib/odd/tool-too'));
  fs.symlinkSync('tool', at('bin/link'));
  fs.symlinkSync(`/nowhere/${'x'.repeat(150)}`, at('bin/long-link'));
  fs.writeFileSync(at('etc/odd-owner'), 'o');
  fs.writeFileSync(at(`deep/${'n'.repeat(120)}/${'m'.repeat(120)}/${'o'.repeat(200)}`), 'deep');
  fs.writeFileSync(Buffer.from(`${folder}/etc/utf-\xc3\xa4`, 'latin1'), 'a');
  fs.writeFileSync(at('etc/empty-file'), '');
  must('truncate', ['-s', '3000000', at('var/lib/odd/sparse')]);
  const sparse = fs.openSync(at('var/lib/odd/sparse'), 'r+');
  for (const place of [0, 1_000_000, 1_500_000, 2_000_000, 2_500_000, 2_999_990]) fs.writeSync(sparse, 'some data', place);
  fs.closeSync(sparse);
  fs.writeFileSync(at('bin/capable'), 'c');
  must('setcap', ['cap_net_raw,cap_sys_admin=ep', at('bin/capable')]);
  must('setfattr', ['-n', 'user.binary', '-v', '0x00ff3d0a80', at('etc/odd-owner')]);
  must('setfattr', ['-n', 'user.empty', at('etc')]);
  must('setfattr', ['-n', 'trusted.mark', '-v', 'm', at('bin/link'), '-h']);
  must('mknod', [at('dev/null'), 'c', '1', '3']);
  must('mknod', [at('dev/big'), 'b', '259', '70000']);
  must('mkfifo', [at('dev/fifo')]);
  for (const [name, mode] of [['bin/tool', 0o4755], ['etc/empty', 0o2770], ['var/lib/odd', 0o1777], ['etc/odd-owner', 0o000], ['dev/null', 0o666], ['dev/fifo', 0o602]] as const) {
    fs.chmodSync(at(name), mode);
  }
  for (const [name, uid, gid] of [['etc/odd-owner', 3_000_000, 4_000_000], ['bin/link', 1000, 1001], ['etc/empty', 65534, 65534], ['dev/fifo', 7, 8]] as const) {
    fs.lchownSync(at(name), uid, gid);
  }
  setTimes(folder);
}

/** Gives every file a time of its own, by its name; some with nanoseconds, one before 1970. */
export function setTimes(folder: string): void {
  const tree = new Tree(folder);
  const names = [...walk(tree)].map((node) => node.path).filter((name) => name !== '');
  tree.close();
  for (const [index, name] of names.toReversed().entries()) {
    fs.lutimesSync(Buffer.from(`${folder}/${name}`, 'latin1'), 0, index === 3 ? -1234.5 : 1_600_000_000 + index + (index % 3) / 4);
  }
  fs.utimesSync(folder, 0, 1_500_000_000);
}
