/** The one door of this package. */
import { packageBuild } from '../../tsup.base.ts';

// tsup reads its configuration from a default export.
export default packageBuild(['src/index.ts']);
