import type { Digest } from '../registry/digest.ts';

export type Phase = 'waiting' | 'downloading' | 'uploading' | 'unpacking' | 'done' | 'exists' | 'mounted';

/** How far one layer has come. */
export interface Progress {
  /** The packed layer. */
  readonly layer: Digest;
  readonly phase: Phase;
  /** Bytes of the packed layer, in this phase. */
  readonly current: number;
  readonly total: number;
}

/** Is called as often as something happens; who shows it thins it out. */
export type OnProgress = (progress: Progress) => void;
