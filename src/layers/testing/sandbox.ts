import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { END } from '../../tar/testing/archive.ts';
import { unpackLayer } from '../unpack.ts';
import type { UnpackedLayer, UnpackOptions } from '../unpack-options.ts';
import { Tree, walk, type TreeNode } from '../walk.ts';
import { treeLines } from './tree-lines.ts';

/** A folder to unpack into, and beside it one that must stay as it is: with a file, a folder, and a link to a folder. */
export class Sandbox implements Disposable {
  readonly top = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-layer-'));
  readonly inside = path.join(this.top, 'a/b/inside');
  readonly outside = path.join(this.top, 'outside');
  readonly #before: readonly string[];

  constructor() {
    fs.mkdirSync(this.inside, { recursive: true });
    fs.mkdirSync(path.join(this.outside, 'folder'), { recursive: true });
    fs.writeFileSync(path.join(this.outside, 'secret'), 'secret\n');
    fs.writeFileSync(path.join(this.outside, 'folder/file'), 'file\n');
    this.#before = this.#around();
  }

  #around(): string[] {
    return [...treeLines(this.top)].filter((line) => !line.startsWith('"a/b/inside')).map((line) => (/^"(a|a\/b)?"/.test(line) ? line.replace(/ \d{19}/, '') : line));
  }

  /** Unpacks these parts of an archive. Afterwards, whatever came of it, nothing outside has changed. */
  async unpack(parts: readonly Buffer[], options: Partial<UnpackOptions> = {}): Promise<UnpackedLayer> {
    try {
      return await unpackLayer(source([...parts, END]), this.inside, { whiteouts: 'apply', owners: process.geteuid?.() === 0 ? 'told' : 'mine', ...options });
    } finally {
      assert.deepEqual(this.#around(), this.#before, 'something outside was changed');
    }
  }

  /** Unpacks; it must be refused with a DelosError of one line. */
  async refuses(parts: readonly Buffer[], message: RegExp, options: Partial<UnpackOptions> = {}): Promise<void> {
    await assert.rejects(this.unpack(parts, options), (error: Error) => {
      assert.equal(error.name, 'DelosError', error.stack);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    });
  }

  /** What is inside, relative: the text of a file, `-> target` of a link, `/` of a folder, else the type. */
  get files(): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { path: name, kind } of walked(this.inside)) {
      const file = Buffer.from(`${this.inside}/${name}`, 'latin1');
      if (kind === 'file') found[name] = fs.readFileSync(file, 'utf8');
      else if (kind === 'symlink') found[name] = `-> ${fs.readlinkSync(file)}`;
      else if (name !== '') found[name] = kind === 'directory' ? '/' : kind;
    }
    return found;
  }

  [Symbol.dispose](): void {
    fs.rmSync(this.top, { recursive: true, force: true });
  }
}

function* walked(folder: string): Generator<TreeNode> {
  const tree = new Tree(folder);
  try {
    yield* walk(tree);
  } finally {
    tree.close();
  }
}

// oxlint-disable-next-line typescript/require-await -- a source is asynchronous
export async function* source(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
