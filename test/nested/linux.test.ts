import { testOnSvm } from './nested.ts';

testOnSvm('Debian\'s kernel to a shell, on KVM by name and by choice', ['test/nested/guest/linux.ts']);
