export { bucket } from './bucket.js';
export { compareVersions } from './compare-versions.js';
export { FunctionArgumentError, inSubnet } from './in-subnet.js';
