// The same random layers twice: applied one over the other to one folder, and as the layers of an overlay mount. overlayfs is the judge.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { compareTrees } from '../../src/layers/compare.ts';
import { source } from '../../src/layers/testing/sandbox.ts';
import { unpackLayer } from '../../src/layers/unpack.ts';
import { END, member } from '../../src/tar/testing/archive.ts';
import { must } from '../support/odd-tree.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'unshare', 'mount');

const IMAGES = 40;

/** A small generator of numbers, the same for a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const FOLDERS = ['', 'a/', 'b/', 'a/c/', 'b/c/', 'a/c/d/'] as const;
const BASES = ['a', 'b', 'c', 'd', 'e'] as const;

/**
 * A layer in random order. A name stands for a folder in all layers or in none, so that no file is where another name of the layer wants
 * a folder, which both ways refuse. Nothing is hidden in a folder that the layer hides as a whole.
 */
function randomLayer(random: (below: number) => number, tag: string): Buffer[] {
  const parts: Buffer[] = [];
  const marks: { folder: string; part: Buffer; hidden: string | undefined }[] = [];
  for (let left = 2 + random(8); left > 0; left--) {
    const folder = FOLDERS[random(FOLDERS.length)] as string;
    const base = BASES[random(BASES.length)] as string;
    const isFolder = FOLDERS.includes(`${folder}${base}/` as (typeof FOLDERS)[number]);
    switch (random(5)) {
      case 0:
        marks.push({ folder, part: member({ name: `${folder}.wh.${base}` }), hidden: `${folder}${base}/` });
        break;
      case 1:
        if (folder !== '') marks.push({ folder, part: member({ name: `${folder}.wh..wh..opq` }), hidden: undefined });
        break;
      default:
        parts.push(isFolder ? member({ name: `${folder}${base}`, flag: '5', mode: `0000${random(8)}55\0` }) : member({ name: `${folder}${base}` }, `${tag}${folder}${base}`));
    }
  }
  const sound = marks.filter(({ folder }) => !marks.some(({ hidden }) => hidden !== undefined && folder.startsWith(hidden)));
  for (const { part } of sound) parts.splice(random(parts.length + 1), 0, part);
  return [...parts, END];
}

test(`${IMAGES} images of random layers look the same in an overlay and in one folder`, { skip }, async () => {
  const top = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-overlay-'));
  try {
    let script = '';
    for (let image = 0; image < IMAGES; image++) {
      const at = (name: string): string => path.join(top, String(image), name);
      const random = numbers(image);
      for (const name of ['applied', 'merged', 'seen', 'empty']) fs.mkdirSync(at(name), { recursive: true });
      const lowers: string[] = [];
      for (let layer = 0; layer < 4; layer++) {
        const parts = randomLayer(random, `${layer} `);
        await unpackLayer(source(parts), at('applied'), { whiteouts: 'apply' });
        fs.mkdirSync(at(String(layer)));
        await unpackLayer(source(parts), at(String(layer)), { whiteouts: 'overlay', lowers });
        lowers.unshift(at(String(layer)));
      }
      script += `mount -t overlay overlay -o lowerdir=${lowers.join(':')} ${at('merged')}; cp -a ${at('merged')}/. ${at('seen')}; umount ${at('merged')}\n`;
    }
    must('unshare', ['-m', 'sh', '-e'], { input: script });
    for (let image = 0; image < IMAGES; image++) {
      const at = (name: string): string => path.join(top, String(image), name);
      // A folder without an entry of its own, in one that the layer hides, has the mode of whichever came first.
      const found = [...compareTrees(at('applied'), at('seen'), { contents: true, except: ['time', 'mode'] })];
      assert.deepEqual(found, [], `image ${image}`);
    }
  } finally {
    fs.rmSync(top, { recursive: true, force: true });
  }
});
