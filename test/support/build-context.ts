import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A folder with a Dockerfile and what it copies; gone at the end. */
export class BuildContext implements Disposable {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-context-'));

  /** @param files contents by name; a value `-> text` is a symbolic link */
  constructor(dockerfile: readonly string[], files: Readonly<Record<string, string>> = {}) {
    fs.copyFileSync('/usr/bin/busybox', path.join(this.folder, 'busybox'));
    fs.chmodSync(path.join(this.folder, 'busybox'), 0o755);
    for (const [name, content] of Object.entries({ Dockerfile: `${dockerfile.join('\n')}\n`, ...files })) this.write(name, content);
  }

  write(name: string, content: string): void {
    const file = path.join(this.folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.rmSync(file, { force: true });
    if (content.startsWith('-> ')) fs.symlinkSync(content.slice(3), file);
    else fs.writeFileSync(file, content);
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The beginning of a Dockerfile: a stage `base` with a shell. */
export const shellStage: readonly string[] = ['FROM scratch AS base', 'COPY busybox /bin/busybox', 'RUN ["/bin/busybox", "--install", "-s", "/bin"]'];
