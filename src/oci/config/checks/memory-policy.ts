import { mismatch, refused } from '../refuse.ts';
import type { Check } from './check.ts';

/** Whether set_mempolicy(2) takes nodes with a mode: it must have some, may, or must not. */
const NODES = {
  MPOL_DEFAULT: 'none',
  MPOL_LOCAL: 'none',
  MPOL_PREFERRED: 'any',
  MPOL_PREFERRED_MANY: 'some',
  MPOL_BIND: 'some',
  MPOL_INTERLEAVE: 'some',
  MPOL_WEIGHTED_INTERLEAVE: 'some',
} as const;

/** config-linux.md "Memory policy": what set_mempolicy(2) would call EINVAL. */
export const checkMemoryPolicy: Check = ({ linux }) => {
  if (linux?.memoryPolicy === undefined) return;
  const { mode, nodes, flags = [] } = linux.memoryPolicy;
  const place = ['linux', 'memoryPolicy'];
  if (NODES[mode] === 'some' && nodes === undefined) throw mismatch([...place, 'nodes'], `nodes for ${mode}`, undefined);
  if (NODES[mode] === 'none' && nodes !== undefined) throw mismatch([...place, 'nodes'], `no nodes for ${mode}`, nodes);
  const placed = flags.find((flag) => flag !== 'MPOL_F_NUMA_BALANCING');
  if (placed !== undefined && nodes === undefined) throw refused([...place, 'flags'], `${placed} needs nodes`);
  if (flags.includes('MPOL_F_RELATIVE_NODES') && flags.includes('MPOL_F_STATIC_NODES')) {
    throw refused([...place, 'flags'], 'MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other');
  }
  if (flags.includes('MPOL_F_NUMA_BALANCING') && mode !== 'MPOL_BIND' && mode !== 'MPOL_PREFERRED_MANY') {
    throw refused([...place, 'flags'], `MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not ${mode}`);
  }
};
