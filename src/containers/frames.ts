/** What native/clients.h sends. */
export type Received =
  | { readonly kind: 'attached' }
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly data: Buffer }
  | { readonly kind: 'end'; readonly exitCode: number };

const HEADER = 4;

/** Puts together the frames of a connection out of the pieces they arrive in. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole with this piece. */
  read(piece: Buffer): Received[] {
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    const frames: Received[] = [];
    while (bytes.length >= HEADER) {
      const end = HEADER + bytes.readUInt16LE(2);
      if (bytes.length < end) break;
      const received = frameOf(String.fromCharCode(bytes[0] ?? 0), bytes.subarray(HEADER, end));
      if (received !== undefined) frames.push(received);
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return frames;
  }
}

/** A frame of a later version is passed over. */
function frameOf(type: string, data: Buffer): Received | undefined {
  if (type === 'a') return { kind: 'attached' };
  if (type === '1' || type === '2') return { kind: 'output', stream: type === '1' ? 'stdout' : 'stderr', data };
  return type === 'x' && data.length >= 4 ? { kind: 'end', exitCode: data.readUInt32LE(0) } : undefined;
}

/** A frame for the monitor; the payload is at most 1024 bytes. */
export function frame(type: 'a' | 'w' | 'i' | 'e' | 'r', payload: Uint8Array = new Uint8Array(0)): Buffer {
  return Buffer.concat([Buffer.from([type.charCodeAt(0), 0, payload.length & 0xff, payload.length >> 8]), payload]);
}

/** Input as frames. */
export function inputFrames(data: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; at += 1024) frames.push(frame('i', data.subarray(at, at + 1024)));
  return Buffer.concat(frames);
}

/** The size of the client's terminal. */
export function sizeFrame(rows: number, columns: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt16LE(rows, 0);
  payload.writeUInt16LE(columns, 2);
  return frame('r', payload);
}
