/** How much of what was said is kept, in characters; twice as much before it is cut down to this. */
const kept = 1 << 20;

/**
 * What a machine has said on its serial port, as text in UTF-8. `for await` gives it piece by piece from its beginning, and is done when the
 * machine has ended; any number may read. The last mebibyte is kept: who reads later than that misses what was before.
 */
export class SerialConsole implements AsyncIterable<string> {
  readonly #decoder = new TextDecoder();
  #text = '';
  /** Characters before `#text`. */
  #gone = 0;
  #passed = 0;
  #ended = false;
  #waiting: (() => void)[] = [];

  /** What was said, the last mebibyte of it. */
  get text(): string {
    return this.#text;
  }

  /**
   * Waits until the machine has said something, and gives all up to its end; what one call has passed is not looked at by the next.
   * Undefined when the machine has ended without having said it.
   */
  async waitFor(words: string | RegExp): Promise<string | undefined> {
    for (;;) {
      const said = this.#text.slice(Math.max(0, this.#passed - this.#gone));
      const end = endOf(said, words);
      if (end !== undefined) {
        this.#passed = this.#gone + this.#text.length - said.length + end;
        return said.slice(0, end);
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    for (let read = 0; ; ) {
      const piece = this.#text.slice(Math.max(0, read - this.#gone));
      read = this.#gone + this.#text.length;
      if (piece !== '') yield piece;
      else if (this.#ended) return;
      else await this.#more();
    }
  }

  /** The machine's side. A character may be cut in two. */
  take(bytes: Uint8Array): void {
    this.#append(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The machine's side: nothing comes any more. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#append(this.#decoder.decode());
    this.#wake();
  }

  #append(text: string): void {
    if (text === '') return;
    this.#text += text;
    if (this.#text.length > 2 * kept) {
      this.#gone += this.#text.length - kept;
      this.#text = this.#text.slice(-kept);
    }
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function endOf(text: string, words: string | RegExp): number | undefined {
  if (typeof words === 'string') {
    const at = text.indexOf(words);
    return at < 0 ? undefined : at + words.length;
  }
  // One that is global would go on where it was the last time.
  const match = new RegExp(words.source, words.flags.replace(/[gy]/g, '')).exec(text);
  return match === null ? undefined : match.index + match[0].length;
}
