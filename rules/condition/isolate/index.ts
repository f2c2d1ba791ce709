export { isLargerThan } from './context-size.js';
export {
  createIsolate,
  type Evaluated,
  type Isolate,
  type IsolateOptions,
  type IsolateRequest,
} from './isolate.js';
export type { Outcome } from './protocol.js';
