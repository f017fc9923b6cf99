import { createHash, type Hash } from 'node:crypto';

/** A digest of the OCI image specification ("Digests"). Only sha256 is known here: nothing else is in use. */
export type Digest = `sha256:${string}`;

const form = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && form.test(text);
}

/** The 64 hexadecimal digits. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return finish(createHash('sha256').update(bytes));
}

/** The digest of all that the hash was given. It takes nothing more afterwards. */
export function finish(hash: Hash): Digest {
  return `sha256:${hash.digest('hex')}`;
}
