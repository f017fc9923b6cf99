import { DelosError } from '../../lib/errors.ts';

/** Far more than anyone types or a password has, in bytes. */
const MOST = 1 << 16;

/** All of stdin, as text. @throws DelosError too-large */
export async function readAll(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST) throw new DelosError('too-large', `stdin has more than ${MOST} bytes`);
  }
  return Buffer.concat(chunks).toString();
}

/** Asks on stderr, and gives the line that is typed, or comes from wherever stdin comes from. Empty at the end of stdin. */
export async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  return readLine();
}

/** The same, and the terminal does not show it. */
export async function askHidden(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new DelosError('bad-usage', 'stdin is no terminal: use --password-stdin');
  process.stderr.write(question);
  process.stdin.setRawMode(true);
  try {
    return await readKeys();
  } finally {
    process.stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}

function readLine(): Promise<string> {
  let text = '';
  return listen((chunk, resolve) => {
    text += chunk.toString();
    if (text.includes('\n') || text.length > MOST) resolve(text.split('\n')[0]?.replace(/\r$/, '') ?? '');
  }, () => text);
}

/** What a terminal in raw mode sends, up to Enter. */
function readKeys(): Promise<string> {
  let text = '';
  return listen((chunk, resolve, reject) => {
    for (const key of chunk.toString()) {
      if (key === '\r' || key === '\n' || key === '\x04') resolve(text);
      else if (key === '\x03') reject(new DelosError('interrupted', 'interrupted'));
      else if (key === '\x15') text = '';
      else text = key === '\x7f' || key === '\b' ? [...text].slice(0, -1).join('') : text + key;
    }
  }, () => text);
}

/** Listens to stdin until it is enough, and leaves it open for the next question. @param atEnd what there is when it ends first */
function listen(
  take: (chunk: Buffer, resolve: (text: string) => void, reject: (error: Error) => void) => void, atEnd: () => string,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const onData = (chunk: Buffer): void => take(chunk, resolve, reject);
  const onEnd = (): void => resolve(atEnd());
  process.stdin.on('data', onData).once('end', onEnd);
  return promise.finally(() => {
    process.stdin.off('data', onData).off('end', onEnd);
    process.stdin.pause();
  });
}
