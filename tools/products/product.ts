/** One thing that the build makes. */
export interface Product {
  /** Its file or folder inside build/. */
  output: string;
  /** The file it starts from. A product without it is left out. */
  entry: string;
  /** Files, relative to the clone, that it must not be older than. */
  inputs: readonly string[];
  /** What the progress line calls it. */
  kind: 'native parts' | 'WebAssembly' | 'bundles' | 'declarations';
  /** Makes it at `path`, absolute. What it puts beside it (a source map) is moved into build/ as well. Throws with the tool's own words. */
  make(path: string): Promise<void>;
}
