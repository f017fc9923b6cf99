import { Code, type ValueType } from '../wasm/code.ts';

/** Code of many instructions: locals of one of them, which the next one takes over, and locals of the whole region. */
export class RegionCode extends Code {
  readonly #pools = new Map<ValueType, { readonly locals: number[]; used: number }>();

  /** One that is its instruction's alone. */
  override local(type: ValueType): number {
    let pool = this.#pools.get(type);
    if (pool === undefined) this.#pools.set(type, pool = { locals: [], used: 0 });
    const known = pool.locals[pool.used++];
    if (known !== undefined) return known;
    const fresh = super.local(type);
    pool.locals.push(fresh);
    return fresh;
  }

  /** One that nobody else gets. It holds zero at first. */
  lasting(type: ValueType): number {
    return super.local(type);
  }

  /** Nobody reads the locals of the last instruction any more. */
  nextInstruction(): void {
    for (const pool of this.#pools.values()) pool.used = 0;
  }
}
