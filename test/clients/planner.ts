import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../../tools/files.ts';
import { Stage } from './stage.ts';

/** `delos-oci` as it is in this clone. */
export const delosOci = path.join(root, 'bin/delos-oci');

/**
 * Installs a copy of `delos-oci` on the stage, starts its planner there, and takes Node away from the copy. What it does from then on it
 * does through the planner or not at all. A copy, because a planner ends when a build replaces its program.
 * @returns the path of the copy's command on the stage
 */
export async function installWithPlanner(stage: Stage): Promise<string> {
  const folder = path.join(Stage.folder, 'delos');
  const copy = stage.outside(folder);
  fs.cpSync(path.join(root, 'bin'), path.join(copy, 'bin'), { recursive: true });
  fs.cpSync(path.join(root, 'build'), path.join(copy, 'build'), { recursive: true, filter: (source) => !/\/(?:types|cache|node)$|\.map$/.test(source) });
  const planner = stage.start([path.join(root, 'build/node'), path.join(folder, 'build/delos-oci.cjs'), 'planner', '--idle', '1m']);
  const socket = stage.outside('/run/delos/planner.sock');
  for (let tries = 0; !fs.existsSync(socket); tries++) {
    assert.ok(tries < 500 && planner.child.exitCode === null, 'the planner does not start');
    await sleep(10);
  }
  return path.join(folder, 'bin/delos-oci');
}
