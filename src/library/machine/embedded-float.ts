/** build/float.wasm in base64: the build puts it there, into bundles for browsers. */
declare const DELOS_FLOAT_WASM: string;

/** The software processor's floating point, out of the bundle itself. */
export function embeddedFloat(): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(DELOS_FLOAT_WASM), (character) => character.charCodeAt(0));
}
