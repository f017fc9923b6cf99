import { testOnSvm } from './nested.ts';

const files = ['kvm-probe', 'kvm-state', 'kvm', 'kvm-controllers'].map((name) => `test/integration/${name}.test.ts`);

testOnSvm('the tests of the KVM engine', files);
