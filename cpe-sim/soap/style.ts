/**
 * How a make of CPE writes its envelopes and speaks HTTP. All of it is legal; every difference has broken some ACS.
 */
export interface EnvelopeStyle {
  readonly prefixes: {
    readonly soap: string;
    readonly encoding: string;
    readonly xsd: string;
    readonly xsi: string;
    readonly cwmp: string;
  };
  readonly xmlDeclaration: boolean;
  readonly charset: 'utf-8' | 'iso-8859-1';
  readonly whiteSpace: 'none' | 'indented';
  readonly attributeOrder: 'declared' | 'reversed';
  /** The number in soapenc:arrayType: as it is, with leading zeros, or always 0 (which the schema permits). */
  readonly arrayCounts: 'exact' | 'padded' | 'zero';
  /** Keeps the ACS's cookies for the length of a session, as TR-069 3.4.1 demands. */
  readonly cookies: boolean;
  /** Sends bodies with Transfer-Encoding chunked in place of Content-Length. */
  readonly chunked: boolean;
}

export const DEFAULT_STYLE: EnvelopeStyle = {
  prefixes: { soap: 'soapenv', encoding: 'soapenc', xsd: 'xsd', xsi: 'xsi', cwmp: 'cwmp' },
  xmlDeclaration: true,
  charset: 'utf-8',
  whiteSpace: 'none',
  attributeOrder: 'declared',
  arrayCounts: 'exact',
  cookies: true,
  chunked: false,
};

/** A spread of styles, to give the CPEs of a fleet in turn. */
export const SAMPLE_STYLES: readonly EnvelopeStyle[] = [
  DEFAULT_STYLE,
  {
    ...DEFAULT_STYLE,
    prefixes: { soap: 'SOAP-ENV', encoding: 'SOAP-ENC', xsd: 'xsd', xsi: 'xsi', cwmp: 'cwmp' },
    xmlDeclaration: false,
    whiteSpace: 'indented',
    arrayCounts: 'padded',
  },
  {
    ...DEFAULT_STYLE,
    prefixes: { soap: 'soap', encoding: 'enc', xsd: 'xs', xsi: 'i', cwmp: 'ns1' },
    charset: 'iso-8859-1',
    attributeOrder: 'reversed',
    arrayCounts: 'zero',
  },
  { ...DEFAULT_STYLE, chunked: true, cookies: false, xmlDeclaration: false },
];
