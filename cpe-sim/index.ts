/** Simulated CPEs: a library, a fleet, and what `ferry sim` runs. Shares no codec with the ACS. */
export { runSimulator, type SimulatorIo, summaryLine } from './command.js';
export {
  type OptionDescription,
  type SimulatorCommandOptions,
  SimulatorOptionError,
  simulatorOptions,
} from './command-options.js';
export { ConnectionRequestListener, type ConnectionRequestListenerOptions } from './connection-requests.js';
export { SimulatedCpe } from './cpe.js';
export { DataModel, DataModelError, type ModelParameter, ParameterSet } from './data-model.js';
export {
  BUILT_IN_MODELS,
  type BuiltInModel,
  builtInModel,
  dataModelFromCsv,
  dataModelFromJson,
  loadDataModel,
} from './data-model-files.js';
export {
  createEmitter,
  SIMULATOR_EVENT_NAMES,
  type SimulatorEmitter,
  type SimulatorEventName,
  type SimulatorEvents,
} from './events.js';
export {
  FAULT_SYNTAX,
  type Fault,
  type FaultAssignment,
  type FaultKind,
  FaultSyntaxError,
  faultsOf,
  parseFault,
  parseFaultAssignment,
} from './fault.js';
export { Fleet, type FleetOptions, type FleetSummary } from './fleet.js';
export type { Credentials } from './http-auth.js';
export {
  IMAGE_HEADER_BYTES_MAX,
  ImageFormatError,
  ImageReader,
  makeImage,
  readImage,
  type SimulatedImage,
} from './image.js';
export type { CpeBehaviour, EnvelopeObserver, SimulatedCpeOptions } from './options.js';
export {
  type CpeFault,
  type CpeIdentity,
  CWMP_VERSIONS,
  type CwmpVersion,
  DEFAULT_STYLE,
  type EnvelopeStyle,
  SAMPLE_STYLES,
} from './soap/index.js';
