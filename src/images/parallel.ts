/**
 * Does something with each item, some at once, begun in their order. After the first failure nothing more is begun; when all that ran
 * has ended, it is thrown.
 * @param onFailure is called at the first failure
 */
export async function inParallel<T>(
  items: readonly T[], atOnce: number, task: (item: T, index: number) => Promise<void>, onFailure?: () => void,
): Promise<void> {
  let next = 0;
  let stopped = false;
  const work = async (): Promise<void> => {
    while (!stopped && next < items.length) {
      const index = next++;
      try {
        await task(items[index] as T, index);
      } catch (error) {
        stopped = true;
        throw error;
      }
    }
  };
  await allOf(Array.from({ length: Math.max(1, Math.min(atOnce, items.length)) }, work), onFailure);
}

/**
 * Waits for all, also after a failure, and throws the first one. So nothing runs on when what it needs is released.
 * @param onFailure is called at the first failure
 */
export async function allOf(tasks: readonly Promise<unknown>[], onFailure?: () => void): Promise<void> {
  let first: { readonly error: unknown } | undefined;
  await Promise.all(tasks.map((task) => task.catch((error: unknown) => {
    if (first !== undefined) return;
    first = { error };
    onFailure?.();
  })));
  // The assignment is in a callback, which the compiler does not follow.
  const failure = first as { readonly error: unknown } | undefined;
  if (failure !== undefined) throw failure.error;
}
