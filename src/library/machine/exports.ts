/** What both of the package's machines export beside `Machine` itself and its options. */
export { DelosError, errorCodes, type ErrorCode, type ErrorDetail } from '../../lib/errors.ts';
export type { BootModule } from '../../boot/boot.ts';
export type { FirmwareStart, FlatStart, Hardware, KernelStart, SnapshotStart, Start } from './options.ts';
export type { SerialConsole } from './serial-console.ts';
export type { MachineEnd } from './virtual-machine.ts';
