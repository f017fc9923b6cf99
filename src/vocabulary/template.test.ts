import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../lib/errors.ts';
import { compileTemplate } from './template.ts';

const data = {
  ID: 'abc', Names: ['a', 'b'], Count: 3, Nothing: null, Empty: [], Flag: true,
  State: { Status: 'running', Pid: 42 }, Labels: { z: '1', a: '2' }, 'with-dash': 'dashed',
  Mounts: [{ Source: '/s1', RW: true }, { Source: '/s2', RW: false }],
};

const printed: [string, string][] = [
  ['plain', 'plain'],
  ['{{.ID}}', 'abc'],
  ['{{ .ID }}-{{.State.Pid}}', 'abc-42'],
  ['{{json .State}}', '{"Status":"running","Pid":42}'],
  ['{{json .Nothing}}', 'null'],
  ['{{.Nothing}} {{.Names}} {{.Labels}}', '<no value> [a b] map[a:2 z:1]'],
  ['{{.ID | upper}} {{upper .ID | lower}}', 'ABC abc'],
  ['{{join .Names ", "}}', 'a, b'],
  ['{{index .Names 1}}{{index .Labels "z"}}{{index . "with-dash"}}{{index .Labels "none"}}', 'b1dashed'],
  ['{{len .Names}}{{len .ID}}', '23'],
  ['{{range .Names}}<{{.}}>{{end}}', '<a><b>'],
  ['{{range $i, $name := .Names}}{{$i}}={{$name}} {{end}}', '0=a 1=b '],
  ['{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}', 'a=2 z=1 '],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{range .Mounts}}{{if .RW}}{{.Source}}{{end}}{{end}}', '/s1'],
  ['{{range .Mounts}}{{$.ID}}{{end}}', 'abcabc'],
  ['{{if eq .State.Status "exited"}}a{{else if gt .Count 2}}b{{else}}c{{end}}', 'b'],
  ['{{if and .Flag (not .Empty)}}yes{{end}}', 'yes'],
  ['{{if or .Empty .Nothing}}yes{{else}}no{{end}}', 'no'],
  ['{{with .State}}{{.Status}}{{end}}', 'running'],
  ['{{$s := .State}}{{$s.Pid}}', '42'],
  ['{{(index .Mounts 1).Source}}', '/s2'],
  ['{{printf "%-5s|%3d|%q" .ID .Count "x"}}', 'abc  |  3|"x"'],
  ['a {{- .ID -}} b', 'aabcb'],
  ['{{println "a" 1}}', 'a 1\n'],
  ['{{"}}"}}{{`raw`}}{{"tab\\t"}}', '}}rawtab\t'],
  ['{{slice .ID 0 2}}', 'ab'],
  ['{{(.ID)}}{{.ID}}', 'abcabc'],
];
for (const [source, text] of printed) {
  test(`template ${source}`, () => assert.equal(compileTemplate(source)(data), text));
}

test('a comment prints nothing', () => assert.equal(compileTemplate('{{/* a note */}}x')(data), 'x'));

const refused: string[] = [
  '{{.ID', '{{end}}', '{{if .ID}}', '{{if .ID}}a{{else}}b', '{{range}}x{{end}}', '{{nope .ID}}', '{{.ID | }}', '{{"open}}', '{{.ID ,}}', '{{}}',
  '{{else}}', '{{(.ID}}', '{{"\\q"}}', '{{if .ID}}{{else nonsense}}{{end}}', '{{%}}', '{{if .ID}}'.repeat(200),
];
for (const source of refused) {
  test(`refused when compiled: ${source.slice(0, 40)}`, () => assert.throws(() => compileTemplate(source), oneLine));
}

const failing: string[] = ['{{.Missing}}', '{{.ID.X}}', '{{.Names.X}}', '{{$x}}', '{{index .Names 5}}', '{{len .Count}}', '{{lt .ID .Count}}', '{{.ID 1}}', '{{range .Count}}{{end}}', '{{constructor}}', '{{.constructor}}', '{{index .Nothing "a"}}'];
for (const source of failing) {
  test(`fails: ${source}`, () => assert.throws(() => compileTemplate(source)(data), oneLine));
}

function oneLine(error: unknown): boolean {
  return error instanceof DelosError && error.code === 'bad-usage' && !error.message.includes('\n');
}
