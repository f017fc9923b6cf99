/** How much of a registry is put up with. */
export interface Limits {
  /** Bytes of a manifest, an index or a list of tags. */
  readonly manifestBytes: number;
  /** Bytes of an image's configuration. */
  readonly configBytes: number;
  /** Bytes of one layer as it is transferred. */
  readonly layerBytes: number;
  /** Redirects of one request. */
  readonly redirects: number;
  /** Tries of one request, and of one download that makes no progress in between. */
  readonly attempts: number;
  /** Milliseconds without a byte. */
  readonly stallMs: number;
  /** The first pause between two tries, in milliseconds; each further one is twice as long. */
  readonly pauseMs: number;
  /** The longest pause, also when the registry asks for a longer one (Retry-After), in milliseconds. */
  readonly longestPauseMs: number;
  /** Tags or referrers of one listing. */
  readonly listed: number;
}

export const defaultLimits: Limits = {
  manifestBytes: 4 << 20, configBytes: 8 << 20, layerBytes: 64 * 2 ** 30, redirects: 10, attempts: 5, stallMs: 60_000, pauseMs: 250, longestPauseMs: 30_000,
  listed: 100_000,
};
