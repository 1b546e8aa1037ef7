/** The four doors of the core package. */
import { packageBuild } from '../../tsup.base.ts';

// tsup reads its configuration from a default export.
export default packageBuild(['src/index.ts', 'src/machines.ts', 'src/adapter.ts', 'src/simulation.ts']);
