import { names } from './runs.ts';
import type { Held } from './memory.ts';
import type { Sample } from './sample.ts';

/** Samples that are compared with each other. */
export interface Group {
  readonly title: string;
  readonly samples: readonly Sample[];
  /** Of issue 2: a row takes at most so many times what another one takes. */
  readonly targets?: readonly Target[];
}

export interface Target {
  readonly row: string;
  readonly of: string;
  readonly atMost: number;
}

export interface Report {
  readonly host: string;
  readonly programs: readonly string[];
  readonly notes: readonly string[];
  readonly groups: readonly Group[];
  readonly memory: readonly Held[];
  readonly plannerKb: number;
  readonly targets: readonly Judged[];
}

export interface Judged {
  readonly what: string;
  readonly measured: number;
  readonly atMost: number;
  readonly met: boolean;
}

/** For `delos-oci run` and the library beside the others' `run`. */
export const runTargets: readonly Target[] = [
  { row: names.library, of: 'crun run', atMost: 0.5 },
  { row: names.warm, of: 'crun run', atMost: 0.7 },
  { row: names.cold, of: 'runc run', atMost: 2.5 },
];

/** Each target with what was measured. One whose peer is not installed is left out. */
export function judge(groups: readonly Group[], memory: readonly Held[]): Judged[] {
  const times = groups.flatMap(({ title, samples, targets = [] }) =>
    targets.flatMap(({ row, of, atMost }) => {
      const ratio = ratioOf(samples, row, of);
      return ratio === undefined ? [] : [judged(`${title}: ${row} / ${of}`, ratio, atMost)];
    }),
  );
  const [ours, theirs] = ['delos-oci', 'crun'].map((name) => memory.find((held) => held.name === name)?.kb);
  return ours === undefined || theirs === undefined ? times : [...times, judged('memory of an idle container: delos-oci / crun', ours / theirs, 1)];
}

/** The whole report for people. */
export function textOf({ host, programs, notes, groups, memory, plannerKb, targets }: Report): string {
  const lines = [host, ...programs, ...notes];
  for (const { title, samples } of groups) {
    lines.push('', line(title, ['median ms', 'min ms', '/ crun', '/ runc', 'peak kB']));
    for (const sample of samples) lines.push(line(`  ${sample.name}`, cells(samples, sample)));
  }
  lines.push('', line('Memory for each idle container', ['kB', 'least', 'most']));
  lines.push(...memory.map(({ name, kb, from, to }) => line(`  ${name}`, [kb, from, to].map((value) => value.toFixed(0)))));
  lines.push(line('  the planner, once a machine', [plannerKb.toFixed(0)]), '', 'Targets');
  for (const { what, measured, atMost, met } of targets) lines.push(`  ${met ? 'met    ' : 'NOT MET'}  ${measured.toFixed(2)} of at most ${atMost}  ${what}`);
  return lines.join('\n');
}

/** The part of it that stands in README.md. */
export function markdownOf({ host, programs, groups, memory }: Report): string {
  const [first] = groups;
  const rows = first?.samples.map((sample) => {
    const [median = '', , ofCrun = '', , peak = ''] = cells(first.samples, sample);
    return `| ${sample.name} | ${median} | ${ofCrun} | ${peak} |`;
  });
  const held = memory.map(({ name, kb }) => `${name} ${kb.toFixed(0)}`).join(', ');
  return [
    `| ${first?.title ?? ''} | median ms | of crun's time | peak kB |`, '| --- | ---: | ---: | ---: |', ...(rows ?? []),
    '', `Memory that the machine has less of for each idle container, kB: ${held}.`, '', `${[host, ...programs].join('; ')}.`,
  ].join('\n');
}

function judged(what: string, measured: number, atMost: number): Judged {
  return { what, measured, atMost, met: measured <= atMost };
}

function ratioOf(samples: readonly Sample[], row: string, of: string): number | undefined {
  const [above, below] = [row, of].map((name) => samples.find((sample) => sample.name === name)?.medianMs);
  return above === undefined || below === undefined ? undefined : above / below;
}

/** Median, min, ratio to crun and to runc, peak. */
function cells(samples: readonly Sample[], { name, medianMs, minMs, peakKb }: Sample): string[] {
  const ratios = ['crun', 'runc'].map((peer) => {
    const other = samples.find((sample) => sample.name.split(' ')[0] === peer)?.name;
    return other === undefined ? undefined : ratioOf(samples, name, other);
  });
  return [medianMs.toFixed(2), minMs.toFixed(2), ...ratios.map((ratio) => ratio?.toFixed(2) ?? ''), peakKb > 0 ? String(peakKb) : ''];
}

function line(name: string, columns: readonly string[]): string {
  return `${name.padEnd(44)}${columns.map((text) => text.padStart(11)).join('')}`.trimEnd();
}
