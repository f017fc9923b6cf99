/** Foreign text as it may stand in a message: one line, printable, not endless. */
export function shown(text: string, longest = 200): string {
  // The line separators of Unicode and C1 controls are left as they are by JSON.
  const clean = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
  return clean.length > longest ? `${clean.slice(0, longest)}...` : clean;
}

/** A URL without what may be secret in it: user, password, query and fragment. */
export function shownUrl(url: URL): string {
  return shown(`${url.protocol}//${url.host}${url.pathname}`);
}
