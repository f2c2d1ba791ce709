export { bucket } from './bucket.js';
export { compareVersions } from './compare-versions.js';
export { ArgumentBoundError, FunctionArgumentError, inSubnet } from './in-subnet.js';
