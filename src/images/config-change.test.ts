import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedConfig, type RunConfig } from './config-change.ts';

const cases: readonly (readonly [before: RunConfig, lines: readonly string[], after: RunConfig])[] = [
  [{}, ['CMD ["a", "b c"]'], { Cmd: ['a', 'b c'] }],
  [{}, ['cmd echo "$A"'], { Cmd: ['/bin/sh', '-c', 'echo "$A"'] }],
  [{}, ['SHELL ["/bin/ash", "-c"]', 'CMD x'], { Shell: ['/bin/ash', '-c'], Cmd: ['/bin/ash', '-c', 'x'] }],
  [{ Cmd: ['old'] }, ['ENTRYPOINT ["new"]'], { Entrypoint: ['new'], Cmd: undefined }],
  [{ Env: ['A=1', 'B=2'] }, ['ENV A=3 C="x y" D=\'z\''], { Env: ['A=3', 'B=2', 'C=x y', 'D=z'] }],
  [{}, ['ENV OLD  two words'], { Env: ['OLD=two words'] }],
  [{ Labels: { a: '1' } }, ['LABEL a=2 "b c"=3'], { Labels: { a: '2', 'b c': '3' } }],
  [{}, ['EXPOSE 80 53/udp 8000-8010'], { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000-8010/tcp': {} } }],
  [{}, ['VOLUME /a /b', 'VOLUME ["/c d"]'], { Volumes: { '/a': {}, '/b': {}, '/c d': {} } }],
  [{ WorkingDir: '/srv' }, ['WORKDIR a/../b'], { WorkingDir: '/srv/b' }],
  [{}, ['USER 1:2', 'STOPSIGNAL SIGINT', 'ONBUILD RUN make'], { User: '1:2', StopSignal: 'SIGINT', OnBuild: ['RUN make'] }],
  [{}, ['HEALTHCHECK --interval=30s --retries=3 CMD ["true"]'], { Healthcheck: { Test: ['CMD', 'true'], Interval: 30e9, Retries: 3 } }],
  [{}, ['HEALTHCHECK CMD curl -f x || exit 1'], { Healthcheck: { Test: ['CMD-SHELL', 'curl -f x || exit 1'] } }],
  [{}, ['HEALTHCHECK none'], { Healthcheck: { Test: ['NONE'] } }],
  [{ Other: 1 }, ['USER a'], { Other: 1, User: 'a' }],
];

for (const [before, lines, after] of cases) test(lines.join('; '), () => assert.deepEqual(changedConfig(before, lines), after));

const refused = [
  'RUN true', 'CMD', '', 'ENV A', 'ENV =1', 'ENV A=1 B', 'ENV A="open', 'LABEL a', 'EXPOSE http', 'EXPOSE 80/icmp', 'VOLUME relative', 'USER a b', 'WORKDIR',
  'SHELL sh', 'HEALTHCHECK true', 'HEALTHCHECK --interval=x CMD a', 'HEALTHCHECK --nope=1 CMD a', 'constructor x', '__proto__ x',
];
for (const line of refused) {
  test(`refused: ${line}`, () => assert.throws(() => changedConfig({}, [line]), (error: Error) => {
    assert.equal(error.name, 'DelosError', error.stack);
    assert.match(error.message, /^cannot change an image by '[^\n]*$/);
    return true;
  }));
}
