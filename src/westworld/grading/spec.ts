/** The document's spec.json (section 4.9), as far as it is about what is tested: the same names and values. */
export const spec = {
  name: 'westworld_hypervisor',
  passing_score: 70,
  function: { name: 'ford_creates_host', parameters: [{ name: 'memory_mb', type: 'size_t' }] },
  driver: {
    edge_cases: [
      { name: 'create_1mb', args: [1], expected: 'non_null', is_trap: false },
      { name: 'create_0mb', args: [0], expected: 'null', is_trap: true },
      { name: 'create_large', args: [1024], expected: 'non_null', is_trap: false },
      { name: 'lifecycle_test', args: [1], expected: 'no_memory_leak', is_trap: true },
      { name: 'hlt_instruction', args: [1], expected: 'exit_hlt', is_trap: false },
    ],
    fuzzing: { enabled: true, iterations: 100, generators: [{ type: 'int', param_index: 0, params: { min: 0, max: 4096 } }] },
  },
  norm: {
    allowed_functions: ['malloc', 'calloc', 'free', 'mmap', 'munmap', 'memcpy', 'memset', 'printf', 'putchar'],
    forbidden_functions: ['open', 'close', 'ioctl', 'fork', 'exec'],
    check_security: true, check_memory: true, blocking: true,
  },
} as const;

export type Expected = (typeof spec.driver.edge_cases)[number]['expected'];

/** Where a spec.json asks for something else than {@link spec}: one line for each value, by its JSON pointer. What it says beyond that is free. */
export function specFaults(given: unknown, ours: unknown = spec, pointer = ''): string[] {
  if (typeof ours !== 'object' || ours === null) {
    return given === ours ? [] : [`${pointer}: ${JSON.stringify(ours)} is expected, not ${JSON.stringify(given) ?? 'nothing'}`];
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given) !== Array.isArray(ours)) {
    return [`${pointer || '/'}: ${Array.isArray(ours) ? 'a list' : 'an object'} is expected`];
  }
  const theirs = given as Record<string, unknown>;
  const length = Array.isArray(ours) && (given as unknown[]).length !== ours.length ? [`${pointer}: ${ours.length} entries are expected, not ${(given as unknown[]).length}`] : [];
  return [...length, ...Object.entries(ours).flatMap(([key, value]) => specFaults(theirs[key], value, `${pointer}/${key}`))];
}
