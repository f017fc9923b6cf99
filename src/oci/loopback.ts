import { AF_INET, IFF_UP, SIOCSIFFLAGS, SOCK_CLOEXEC, SOCK_DGRAM } from '../abi/socket.ts';
import { bytes } from '../plan/block.ts';
import { call } from '../plan/step.ts';
import { hasNew, namespaceOf, type Field } from './field.ts';

/** A new network namespace has `lo`, down. Everybody expects 127.0.0.1 to answer, so it is brought up, as runc does. netdevice(7) */
export const loopback: Field = {
  at: [],
  support: 'full',
  init: ({ config, cells }) => {
    if (!hasNew(config, 'network')) return [];
    const why = namespaceOf(config, 'network')?.pointer ?? '';
    const request = new Uint8Array(40);
    request.set(Buffer.from('lo'));
    request[16] = IFF_UP;
    return [
      call('socket', [AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0], why, { out: cells.file }),
      call('ioctl', [cells.file, SIOCSIFFLAGS, bytes(request, '{ifr_name: "lo", ifr_flags: IFF_UP}')], why),
      call('close', [cells.file], why),
    ];
  },
};
