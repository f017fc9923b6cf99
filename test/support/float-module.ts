import { instantiateFloat, type Float } from '../../src/cpu/float/float.ts';
import { assemblyModule } from '../../tools/products/assembly.ts';

/** The floating point of the sources as they are. */
export async function floatModule(): Promise<Float> {
  return instantiateFloat(await assemblyModule('float.wasm'));
}
