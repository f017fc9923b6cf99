import type { CgroupPaths } from '../cgroup/path.ts';
import type { Config } from '../oci/config/types.ts';

/**
 * What is kept of a container in `<root>/<id>/state.json`. It is written before anything else is made, so that `delete --force`
 * can clean up whatever a killed runtime has left. Beside it lie:
 *
 * - `init`: /proc/PID/stat of the init process as it was when init began; pid and start time name it for good;
 * - a fifo that init of a held container reads one byte from; src/oci/start-fifo.ts says what its names mean.
 */
export interface ContainerRecord {
  readonly version: 1;
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  /** Absolute and resolved. */
  readonly rootfs: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  /** uid of who made it. */
  readonly owner: number;
  readonly rootless: boolean;
  readonly systemdCgroup: boolean;
  /** As it was at `create`; what becomes of config.json afterwards has no effect. */
  readonly config: Config;
  readonly cgroup: CgroupPaths;
}
