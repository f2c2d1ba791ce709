export {
  type ClientOptions,
  type Credentials,
  createClient,
  type FerryClient,
  FerryError,
  type Input,
  type RawBody,
  type Reply,
} from './client.js';
export { OPERATIONS, type OperationId, type Operations, type Schemas } from './operations.js';
