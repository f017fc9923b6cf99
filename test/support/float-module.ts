import { instantiateFloat, type Float } from '../../src/cpu/float/float.ts';
import { assemblyModule } from '../../tools/products/assembly.ts';

/** build/float.wasm of the sources as they are. */
export const floatBytes = await assemblyModule('float.wasm');

export function floatModule(): Float {
  return instantiateFloat(floatBytes);
}
