/** A string that has been checked to be one particular kind of id, so that one cannot be passed for another. */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name };

/** `OUI-ProductClass-SerialNumber`, each part escaped to unreserved URL characters (see `acs/device/cpeid`). */
export type CpeId = Brand<string, 'CpeId'>;

/** The id of an entry of FirmwareStorage; results call it `campaignid`. */
export type RuleId = Brand<string, 'RuleId'>;

/** The uuid of an entry of FirmwareResultStorage. */
export type ResultId = Brand<string, 'ResultId'>;

/** Names one upgrade on the wire: its result's uuid without hyphens (TR-069 A.3.2.8 allows 32 characters). */
export type CommandKey = Brand<string, 'CommandKey'>;

/** The id of an organization: a UUID. */
export type OrganizationId = Brand<string, 'OrganizationId'>;

/** Names what an execution is counted against: a rule with its file and target. */
export type CountKey = Brand<string, 'CountKey'>;

/** The id of a batch: a UUID. */
export type BatchId = Brand<string, 'BatchId'>;

/** The id of a batch's operation on one CPE: a UUID of version 5. */
export type OperationId = Brand<string, 'OperationId'>;
