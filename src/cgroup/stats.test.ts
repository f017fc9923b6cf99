import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupStats, eventText, type ReadFile } from './stats.ts';
import { parseDeviceTable, parseIoStat, parseKeyed, parseNumberList, parsePressure, parseValue, UINT64_MAX } from './stats-text.ts';

/** Files as `controller/file`; the controller of v2 is empty. */
function reader(files: Readonly<Record<string, string>>): ReadFile {
  return (controller, file) => files[`${controller}/${file}`];
}

const legacyFiles: Record<string, string> = {
  'cpuacct/cpuacct.usage': '20103719\n',
  'cpuacct/cpuacct.usage_percpu': '20103719 0 \n',
  'cpuacct/cpuacct.usage_all': 'cpu user system\n0 7844260 11812598\n1 0 0\n',
  'cpuacct/cpuacct.stat': 'user 0\nsystem 1\n',
  'cpu/cpu.stat': 'nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n',
  'cpuset/cpuset.cpus': '0\n', 'cpuset/cpuset.mems': '0\n', 'cpuset/cpuset.sched_load_balance': '1\n', 'cpuset/cpuset.sched_relax_domain_level': '-1\n',
  'memory/memory.stat': 'cache 0\nrss 102400\n',
  'memory/memory.limit_in_bytes': '67108864\n', 'memory/memory.usage_in_bytes': '802816\n', 'memory/memory.max_usage_in_bytes': '2244608\n', 'memory/memory.failcnt': '0\n',
  'memory/memory.memsw.limit_in_bytes': '9223372036854771712\n', 'memory/memory.memsw.usage_in_bytes': '802816\n',
  'memory/memory.memsw.max_usage_in_bytes': '2244608\n', 'memory/memory.memsw.failcnt': '0\n',
  'memory/memory.kmem.limit_in_bytes': '9223372036854771712\n', 'memory/memory.kmem.usage_in_bytes': '466944\n',
  'memory/memory.kmem.max_usage_in_bytes': '589824\n', 'memory/memory.kmem.failcnt': '0\n',
  'memory/memory.kmem.tcp.limit_in_bytes': '9223372036854771712\n', 'memory/memory.kmem.tcp.usage_in_bytes': '0\n',
  'pids/pids.current': '1\n', 'pids/pids.max': '50\n',
  'blkio/blkio.bfq.io_service_bytes_recursive': 'Total 0\n',
  'blkio/blkio.throttle.io_service_bytes_recursive': 'Total 0\n',
};

const legacyControllers = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids', 'name=systemd'];

test('v1: the files of a sleeping container give what runc 1.1 printed of it', () => {
  const expected = '{"type":"stats","id":"web","data":{"cpu":{"usage":{"total":20103719,"percpu":[20103719,0],"percpu_kernel":[11812598,0],"percpu_user":[7844260,0],'
    + '"kernel":10000000,"user":0},"throttling":{}},"cpuset":{"cpus":[0],"mems":[0],"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,'
    + '"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":1,"sched_relax_domain_level":-1},"memory":{"usage":{"limit":67108864,'
    + '"usage":802816,"max":2244608,"failcnt":0},"swap":{"limit":9223372036854771712,"usage":802816,"max":2244608,"failcnt":0},"kernel":{"limit":9223372036854771712,'
    + '"usage":466944,"max":589824,"failcnt":0},"kernelTCP":{"limit":9223372036854771712,"failcnt":0},"raw":{"cache":0,"rss":102400}},"pids":{"current":1,"limit":50},'
    + '"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null}}';
  assert.equal(eventText('stats', 'web', cgroupStats(reader(legacyFiles), legacyControllers, ['2MB'])), expected);
});

test('v1: what a container reads and writes comes from whichever layer has counted', () => {
  const table = '8:0 Read 4096\n8:0 Write 0\n8:0 Total 4096\nTotal 4096\n';
  const of = (file: string) => cgroupStats(reader({ [`blkio/${file}`]: table }), ['blkio'], []).blkio.ioServiceBytesRecursive;
  const expected = [{ major: 8n, minor: 0n, op: 'Read', value: 4096n }, { major: 8n, minor: 0n, op: 'Write', value: 0n }, { major: 8n, minor: 0n, op: 'Total', value: 4096n }];
  assert.deepEqual(of('blkio.bfq.io_service_bytes_recursive'), expected);
  assert.deepEqual(of('blkio.io_service_bytes_recursive'), expected);
  assert.deepEqual(of('blkio.throttle.io_service_bytes_recursive'), expected);
});

const unifiedFiles: Record<string, string> = {
  '/cpu.stat': 'usage_usec 3000000\nuser_usec 2000000\nsystem_usec 1000000\nnr_periods 30\nnr_throttled 20\nthrottled_usec 5\n',
  '/cpu.pressure': 'some avg10=1.50 avg60=0.25 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  '/memory.stat': 'file 4096\nanon 8192\n',
  '/memory.current': '20480\n', '/memory.max': '1048576\n', '/memory.peak': '30720\n',
  '/memory.swap.current': '1024\n', '/memory.swap.max': '2048\n',
  '/pids.current': '3\n', '/pids.max': 'max\n',
  '/io.stat': '8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0\n8:16 \n253:0 cost.usage=0 rbytes=1 wbytes=2 rios=3 wios=4\n',
  '/hugetlb.2MB.current': '2097152\n', '/hugetlb.2MB.events': 'max 4\n',
};

test('v2: times in nanoseconds, swap together with memory, no limit of pids left out', () => {
  const stats = cgroupStats(reader(unifiedFiles), [''], ['2MB', '1GB']);
  assert.deepEqual(stats.cpu, {
    usage: { total: 3_000_000_000n, kernel: 1_000_000_000n, user: 2_000_000_000n },
    throttling: { periods: 30n, throttledPeriods: 20n, throttledTime: 5000n },
    psi: { some: { avg10: 1.5, avg60: 0.25, avg300: 0, total: 123n }, full: { avg10: 0, avg60: 0, avg300: 0, total: 0n } },
  });
  assert.deepEqual(stats.memory, {
    cache: 4096n,
    usage: { limit: 1_048_576n, usage: 20_480n, max: 30_720n, failcnt: 0n },
    swap: { limit: 1_050_624n, usage: 21_504n, failcnt: 0n },
    kernel: { limit: 0n, failcnt: 0n }, kernelTCP: { limit: 0n, failcnt: 0n },
    raw: { anon: 8192n, file: 4096n },
  });
  assert.deepEqual(stats.pids, { current: 3n });
  assert.deepEqual(stats.blkio.ioServicedRecursive, [
    { major: 8n, minor: 0n, op: 'Read', value: 8950n }, { major: 253n, minor: 0n, op: 'Read', value: 3n },
    { major: 8n, minor: 0n, op: 'Write', value: 1252n }, { major: 253n, minor: 0n, op: 'Write', value: 4n },
  ]);
  assert.deepEqual(stats.hugetlb, { '2MB': { usage: 2_097_152n, failcnt: 4n } });
});

test('v2: no limit is the largest number, all digits of it', () => {
  const stats = cgroupStats(reader({ '/memory.max': 'max\n', '/memory.swap.max': '5\n' }), [''], []);
  assert.equal(stats.memory.usage.limit, UINT64_MAX);
  assert.equal(stats.memory.swap.limit, UINT64_MAX);
  assert.match(eventText('stats', 'web', stats), /"usage":\{"limit":18446744073709551615,"failcnt":0\}/);
});

test('on a hybrid each controller is read where it is', () => {
  const stats = cgroupStats(reader({ ...legacyFiles, '/hugetlb.2MB.current': '5\n' }), [...legacyControllers, ''], ['2MB']);
  assert.equal(stats.memory.usage.limit, 67_108_864n);
  assert.equal(stats.hugetlb['2MB']?.usage, 5n);
});

test('a container that is gone has used nothing', () => {
  assert.deepEqual(cgroupStats(() => undefined, [''], ['2MB']).pids, {});
});

test('an out-of-memory event has no data', () => {
  assert.equal(eventText('oom', 'web'), '{"type":"oom","id":"web"}');
});

test('what cannot be understood is refused with the name of its file', () => {
  const refuses = (action: () => unknown, message: string): void => assert.throws(action, { code: 'io', message });
  refuses(() => parseValue('garbage\n', 'memory.current'), 'Invalid memory value: memory.current: found "garbage"');
  refuses(() => parseValue('', 'pids.current'), 'Invalid pids value: pids.current: found ""');
  refuses(() => parseValue('1.5', 'memory.max'), 'Invalid memory value: memory.max: found "1.5"');
  refuses(() => parseKeyed('oom_kill\n', 'memory.events'), 'Invalid memory value: memory.events: found "oom_kill"');
  refuses(() => parseKeyed('oom_kill many\n', 'memory.events'), 'Invalid memory value: memory.events: found "many"');
  refuses(() => parseDeviceTable('8 Read 5\n', 'blkio.x'), 'Invalid blkio value: blkio.x: found "8 Read 5"');
  refuses(() => parseIoStat('sda rbytes=1\n', 'io.stat'), 'Invalid io value: io.stat: found "sda rbytes=1"');
  refuses(() => parseIoStat('8:0 rbytes=x\n', 'io.stat'), 'Invalid io value: io.stat: found "x"');
  refuses(() => parsePressure('some avg10=x\n', 'io.pressure'), 'Invalid io value: io.pressure: found "some avg10=x"');
  refuses(() => parseNumberList('0-4294967295', 'cpuset.cpus'), 'Invalid cpuset value: cpuset.cpus: found "0-4294967295"');
});

test('numbers and lists are read', () => {
  assert.equal(parseValue('9223372036854771712\n', 'memory.max'), 9_223_372_036_854_771_712n);
  assert.equal(parseValue('max\n', 'memory.max'), UINT64_MAX);
  assert.deepEqual(parseNumberList('0-2,5\n', 'cpuset.cpus'), [0, 1, 2, 5]);
  assert.deepEqual(parseNumberList('\n', 'cpuset.cpus'), []);
  assert.equal(parseKeyed('low 0\noom_kill 2\n', 'memory.events').get('oom_kill'), 2n);
});
