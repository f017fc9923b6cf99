/** Lines of a log by topic; the topic's name stands in front of each, and `end: topic` behind them. */
export function topicsOf(log: string): Map<string, readonly string[]> {
  const topics = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of log.split('\n')) {
    const [topic = '', ...rest] = line.split(': ');
    if (topic !== 'end') {
      if (line !== '') lines.push(rest.join(': '));
      continue;
    }
    topics.set(rest.join(': '), lines);
    lines = [];
  }
  // A machine has ended in the midst of it.
  if (lines.length > 0) topics.set('', lines);
  return topics;
}

/** Lines that only one of two has. */
export function differencesOf(first: readonly string[], second: readonly string[]): readonly string[] {
  return [...without(first, second), ...without(second, first)];
}

function without(all: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return all.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
