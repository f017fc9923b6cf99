import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { marker } from '../support/marker.ts';

const build = path.resolve(import.meta.dirname, '../../build');

/** A program of one line behind the real starter. */
class Started implements Disposable {
  readonly #folder = fs.mkdtempSync(path.join(os.tmpdir(), `${marker}-`));
  readonly cache = path.join(this.#folder, 'cache');
  readonly main = path.join(this.#folder, 'it.main.cjs');

  constructor(source: string) {
    fs.copyFileSync(path.join(build, 'delos.cjs'), path.join(this.#folder, 'it.cjs'));
    fs.writeFileSync(this.main, source);
  }

  run(...options: readonly string[]): string {
    const { stdout, stderr, status } = spawnSync(process.execPath, [...options, path.join(this.#folder, 'it.cjs'), 'a', 'b'], { encoding: 'utf8' });
    assert.deepEqual([stderr, status], ['', 0]);
    return stdout;
  }

  /** What is kept, the oldest first. */
  kept(): { name: string; size: number; ino: number }[] {
    return fs.readdirSync(this.cache).map((name) => ({ ...fs.statSync(path.join(this.cache, name)), name })).toSorted((a, b) => a.mtimeMs - b.mtimeMs);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** As long as each other: V8 itself would take the one for the other. */
const says = (word: string): string => `function say() { return ${JSON.stringify(word)}; } console.log(say(), ...process.argv.slice(2));`;

test('a program has its arguments, and is told where it is', () => {
  using it = new Started('console.log(__filename, __dirname, process.argv.slice(2).join(), typeof require);');
  assert.equal(it.run(), `${it.main} ${path.dirname(it.main)} a,b undefined\n`);
});

test('it becomes another program of its folder, which has the same arguments and a cache of its own', () => {
  using it = new Started("console.log('one'); become('other');");
  fs.writeFileSync(it.main.replace('it.main', 'other.main'), 'console.log(__filename, ...process.argv.slice(2));');
  for (let start = 0; start < 2; start++) assert.equal(it.run(), `one\n${it.main.replace('it.main', 'other.main')} a b\n`);
  assert.equal(it.kept().length, 2);
});

test('the first start keeps what V8 has compiled, the next ones leave it', () => {
  using it = new Started(says('one'));
  for (let start = 0; start < 3; start++) assert.equal(it.run(), 'one a b\n');
  assert.equal(it.kept().length, 1);
  const [before] = it.kept();
  it.run();
  assert.deepEqual(it.kept().map(({ ino }) => ino), [before?.ino]);
});

test('what was compiled of another build is not run, however alike they are', () => {
  using it = new Started(says('one'));
  it.run();
  const { mtime } = fs.statSync(it.main);
  // In place, and renamed over it; and nobody can tell by the date.
  fs.writeFileSync(it.main, says('two'));
  fs.utimesSync(it.main, mtime, mtime);
  assert.equal(it.run(), 'two a b\n');
  fs.writeFileSync(`${it.main}.new`, says('six'));
  fs.utimesSync(`${it.main}.new`, mtime, mtime);
  fs.renameSync(`${it.main}.new`, it.main);
  assert.equal(it.run(), 'six a b\n');
  assert.equal(it.kept().length, 3);
});

test('one that is cut off, empty, no file at all or from a V8 of other options does no harm', () => {
  using it = new Started(says('one'));
  it.run();
  const file = path.join(it.cache, it.kept()[0]?.name ?? '');
  const whole = fs.readFileSync(file);
  for (const length of [0, 10, 100, whole.length - 8]) {
    fs.writeFileSync(file, whole.subarray(0, length));
    assert.equal(it.run(), 'one a b\n', `${length} bytes`);
  }
  fs.writeFileSync(file, whole);
  assert.equal(it.run('--no-opt', '--stack-size=2000'), 'one a b\n');
  fs.rmSync(file);
  fs.mkdirSync(file);
  assert.equal(it.run(), 'one a b\n');
});

test('where nothing can be written it is slower, and that is all', () => {
  using it = new Started(says('one'));
  fs.writeFileSync(it.cache, '');
  assert.equal(it.run(), 'one a b\n');
});

test('delos ends at once, and still with all that it has to say', () => {
  // Read late, so that more is to be written than the pipe takes.
  const script = '{ "$0" "$@"; echo "exit code $?"; } | { sleep 1; cat; }';
  const { stdout } = spawnSync('sh', ['-c', script, process.execPath, path.join(build, 'delos.cjs'), 'explain', 'run', 'host', 'true'], { encoding: 'utf8' });
  assert.ok(stdout.length > 70_000, `${stdout.length} bytes`);
  assert.match(stdout, /exit_group\(status: 1\) {2}# refused\nexit code 0\n$/);
});

test('what a program does not use of Node is not loaded', () => {
  using folder = fs.mkdtempDisposableSync(path.join(os.tmpdir(), `${marker}-`));
  const hook = path.join(folder.path, 'hook.cjs');
  fs.writeFileSync(hook, "process.on('exit', () => console.log('loaded', process.moduleLoadList.filter((name) => /^NativeModule (crypto|http|https|tls|zlib)$/.test(name))))");
  for (const words of [['delos', 'version'], ['delos', 'ps'], ['delos-oci', '--version'], ['delos-oci', 'list']]) {
    const [name = '', ...rest] = words;
    const { stdout } = spawnSync(process.execPath, ['--require', hook, path.join(build, `${name}.cjs`), ...rest], { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder.path } });
    assert.match(stdout, /^loaded \[\]$/m, words.join(' '));
  }
});
