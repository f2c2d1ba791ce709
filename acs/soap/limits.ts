/** What one envelope of a CPE may take. */
export interface SoapLimits {
  readonly bodyBytesMax: number;
  /** Nesting of elements; an Inform has 6. */
  readonly depthMax: number;
  readonly elementsMax: number;
  readonly attributesPerElementMax: number;
  /** UTF-16 units of one element's text. */
  readonly textCharactersMax: number;
  readonly parametersMax: number;
}

export const SOAP_LIMITS: SoapLimits = {
  bodyBytesMax: 1024 * 1024,
  depthMax: 64,
  elementsMax: 100_000,
  attributesPerElementMax: 64,
  textCharactersMax: 256 * 1024,
  parametersMax: 20_000,
};

/** TR-069 A.3.3.1, DeviceIdStruct: string(64). What identifies a CPE is never cut, but refused beyond it. */
export const IDENTITY_CHARACTERS_MAX = 64;
/** TR-069 A.3.3.1: at most 64 entries. */
export const EVENTS_MAX = 64;
/** The schemas allow 16; who has more queued is not to be locked out for it. */
export const QUEUED_TRANSFERS_MAX = 256;
/** The header's ID comes back in the answer, so it must stay small. */
export const ID_CHARACTERS_MAX = 256;
/** TR-069 says 256; some data models go beyond it. */
export const PARAMETER_NAME_CHARACTERS_MAX = 1_024;
/** Descriptive texts (manufacturer, fault strings, event codes, times, command keys) are cut here. */
export const SHORT_TEXT_CHARACTERS_MAX = 256;
/** Names of RPCs and types that are not known: enough to recognise them in a log. */
export const NAME_CHARACTERS_MAX = 64;
/** TR-069 A.3.3.3: a URL of a transfer is string(1024). It is compared, never called. */
export const TRANSFER_URL_CHARACTERS_MAX = 1_024;
