import { test } from 'node:test';
import { vmMissing } from '../../tools/vm/run.ts';
import { runGuestTests } from './guest-tests.ts';

/** What Debian has as modules and the tests' own host may have built in. The kernel loads others of nf_tables itself where modprobe is. */
const modules = ['crc32c_generic', 'nf_tables', 'veth', 'bridge', 'nft_chain_nat', 'nft_masq', 'nft_fib_inet', 'nft_nat', 'nft_ct', 'nf_conntrack_netlink'];

test('devices, addresses, routes and rules, on the kernel of Debian 12', { skip: vmMissing() ?? false }, async (context) => {
  await runGuestTests(context, ['test/documents/06-rtnetlink.test.ts', 'test/integration/network.test.ts'], { modules });
});
