import type { OnProgress, Phase } from '../../images/progress.ts';
import { Progress, type ProgressStream } from '../../vocabulary/progress.ts';
import { decimalSize } from '../../vocabulary/units.ts';

/** Docker's words. */
const words: Readonly<Record<Phase, string>> = {
  waiting: 'Waiting', downloading: 'Downloading', uploading: 'Pushing', unpacking: 'Extracting', done: 'Pull complete', exists: 'Already exists', mounted: 'Mounted',
};

/** Redrawing takes longer than a chunk. */
const PAUSE_MS = 50;

/** A line for each layer that is on its way. */
export function showProgress(stream: ProgressStream, done = words.done): OnProgress {
  const progress = new Progress(stream);
  const drawn = new Map<string, { phase: Phase; at: number }>();
  return ({ layer, phase, current, total }) => {
    const last = drawn.get(layer);
    const now = performance.now();
    if (last?.phase === phase && now - last.at < PAUSE_MS) return;
    drawn.set(layer, { phase, at: now });
    const isMoving = phase === 'downloading' || phase === 'uploading' || phase === 'unpacking';
    progress.update(layer.slice(7, 19), phase === 'done' ? done : words[phase], isMoving ? `${decimalSize(current)}/${decimalSize(total)}` : '');
  };
}
