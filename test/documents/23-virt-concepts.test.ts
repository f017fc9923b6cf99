/** Number 23, references 2.10.23.a-h: what kinds of hypervisors there are, where KVM stands, the cycle of a virtual machine. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hypervisors, runCycle, rustMonitors, type HypervisorType } from '../../src/westworld/concepts.ts';
import { greeting } from '../../src/westworld/narratives.ts';
import { link } from '../../src/westworld/link.ts';
import { printedByDelos } from './commands.ts';

const named = (type: HypervisorType): string[] => hypervisors.filter((each) => each.type === type).map(({ name }) => name);

test('test_virt_concepts', async (context) => {
  await context.test('type 1 on the hardware, type 2 on a system, KVM both', () => {
    assert.deepEqual(named('Type 1'), ['VMware ESXi', 'Xen', 'Microsoft Hyper-V']);
    assert.deepEqual(named('Type 2'), ['VirtualBox', 'VMware Workstation']);
    assert.deepEqual(named('Hybrid'), ['KVM']);
  });

  await context.test('three monitors for KVM are written in Rust', () => {
    assert.deepEqual(rustMonitors.map(({ name }) => name), ['Firecracker', 'Cloud Hypervisor', 'crosvm']);
  });

  await context.test('delos explain machines prints them, the six steps, and what this host has', () => {
    const text = printedByDelos('explain', 'machines');
    assert.match(text, /^Type 1 +VMware ESXi, Xen, Microsoft Hyper-V /m);
    assert.match(text, /^Hybrid +KVM /m);
    assert.equal(runCycle.length, 6);
    for (const [at, step] of runCycle.entries()) assert.ok(text.includes(`  ${at + 1}. ${step}\n`), step);
    assert.match(text, /\nThis host\n {2}(?:VT-x|AMD-V|no VT-x or AMD-V)/);
  });

  await context.test('the cycle goes round: each exit is handled and the guest entered again', () => {
    const events: string[] = [];
    const program = link();
    const { kvm_run, ford_says_freeze } = program;
    program.kvm_run = (vcpu) => {
      events.push('enter');
      const result = kvm_run.call(program, vcpu);
      events.push('exit');
      return result;
    };
    program.ford_says_freeze = (host, analysis) => {
      events.push('handle');
      ford_says_freeze.call(program, host, analysis);
    };
    const host = program.ford_creates_host(1);
    program.ford_implants_memories(host, Uint8Array.from(greeting), 0x7c00n);
    program.dolores_wakes_up(host);
    assert.deepEqual(events, [...Array.from({ length: 4 }, () => ['enter', 'exit', 'handle']).flat(), 'enter', 'exit']);
  });
});
