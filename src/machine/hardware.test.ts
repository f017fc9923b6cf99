import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hardwareVirtualization, type HostText } from './hardware.ts';

const host = (flags: string, modules: readonly string[], parameters: Readonly<Record<string, string>> = {}, more = ''): HostText => ({
  cpuinfo: `vendor_id\t: X\nflags\t\t: fpu ${flags} sse\n${more}bugs\t\t: vmx svm\n`, modules, parameter: (module, name) => parameters[`${module}/${name}`],
});

test('Intel: the flags of its own line count, and the parameters of the module', () => {
  const ept = 'vmx flags\t: vnmi ept\n';
  assert.deepEqual(hardwareVirtualization(host('vmx', ['kvm', 'kvm_intel'], { 'kvm_intel/ept': 'Y\n', 'kvm_intel/nested': 'Y\n' }, ept)), {
    extension: 'VT-x', secondLevel: 'EPT', nested: true, module: 'kvm_intel', missing: undefined,
  });
  assert.equal(hardwareVirtualization(host('vmx', ['kvm_intel'], { 'kvm_intel/ept': 'N\n' }, ept)).secondLevel, undefined);
});

test('AMD: numbers for yes and no', () => {
  const { extension, secondLevel, nested } = hardwareVirtualization(host('svm npt', ['kvm_amd'], { 'kvm_amd/npt': '1\n', 'kvm_amd/nested': '0\n' }));
  assert.deepEqual([extension, secondLevel, nested], ['AMD-V', 'NPT', false]);
});

test('what is missing is said: the module, the flag, the host above', () => {
  assert.match(hardwareVirtualization(host('svm npt', [])).missing ?? '', /modprobe kvm_amd/);
  assert.match(hardwareVirtualization(host('', [])).missing ?? '', /firmware/);
  const guest = hardwareVirtualization(host('hypervisor', ['kvm', 'kvm_pvm']));
  assert.match(guest.missing ?? '', /guest itself/);
  assert.equal(guest.module, 'kvm_pvm');
});
