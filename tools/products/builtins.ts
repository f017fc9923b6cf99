import type { Plugin } from 'esbuild';

/** Those that take milliseconds to load, and that many commands never use. */
const large: ReadonlySet<string> = new Set([
  ...['node:child_process', 'node:crypto', 'node:dgram', 'node:http', 'node:https', 'node:net', 'node:stream/consumers', 'node:stream/promises'],
  ...['node:tls', 'node:zlib'],
]);

/**
 * What a program imports from Node itself. esbuild would give each file that says `import fs` a copy of it, with a getter for each
 * of its names, and load everything at once; with three hundred files that is half of a cold start. Here all files have the same
 * object, and a large module is loaded when something of it is first used.
 */
export const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'builtin', sideEffects: false }));
    onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: large.has(path) ? loadedOnUse(path) : loaded(path) }));
  },
};

function loaded(path: string): string {
  return [
    `const whole = /* @__PURE__ */ process.getBuiltinModule('${path}');`,
    'export default whole;',
    // Called, as only a call can be said to have no effect: what nobody imports is left out then.
    ...namesOf(path).map((name) => `export const ${name} = /* @__PURE__ */ (() => whole.${name})();`),
  ].join('\n');
}

/** Its classes can be had from the default import only. */
function loadedOnUse(path: string): string {
  const functions = namesOf(path).filter((name) => /^[a-z]/.test(name));
  return [
    `const load = () => process.getBuiltinModule('${path}');`,
    'export default /* @__PURE__ */ new Proxy({}, { get: (_, name) => load()[name] });',
    ...functions.map((name) => `export const ${name} = (...words) => load().${name}(...words);`),
  ].join('\n');
}

function namesOf(path: string): string[] {
  const whole = process.getBuiltinModule(path) as Record<string, unknown>;
  return Object.keys(whole).filter((name) => /^[A-Za-z]\w*$/.test(name) && name !== 'default');
}
