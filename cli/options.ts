import type { CpeIdentity } from '../acs/index.js';
import type { LogLevel } from '../common/index.js';
import { PUBLIC_URL_CHARACTERS_MAX, UPGRADER_VERSIONS, type UpgraderVersion } from '../firmware/index.js';

/** Everything `ferry serve` can be told. Read from flags, FERRY_… variables and a JSON file; `ferry config` prints it. */
export interface Config {
  readonly store: string;
  readonly groupCommitMs: number;
  readonly workers: number;
  readonly shareSessions: boolean;
  readonly dataDir: string;
  readonly secretFile: string;
  readonly acceptEmptyStore: boolean;
  readonly cwmpListen: string;
  readonly nbiListen: string;
  readonly fileListen: string;
  readonly publicFileUrl: readonly string[];
  readonly fileAuth: string;
  readonly imageMibMax: number;
  readonly organizationImageMibMax: number;
  readonly strictImages: boolean;
  readonly imageSources: readonly string[];
  readonly boardParameter: string;
  readonly requireSignature: boolean;
  readonly cpeAuth: string;
  readonly cpeAuthScheme: 'basic' | 'digest' | 'both';
  readonly allowAnonymousCpe: boolean;
  readonly bootstrapCredentials: boolean;
  readonly afterReset: 'hold' | 'readmit';
  readonly enrol: 'open' | 'known' | 'approve';
  readonly cpeid: CpeIdentity;
  readonly newCpesPerMinute: number;
  readonly cpesMax: number;
  readonly sharedAddress: readonly string[];
  readonly cookieFromAnyAddress: boolean;
  readonly periodicInformSeconds: number;
  readonly sessionIdleSeconds: number;
  readonly informKibMax: number;
  readonly cwmpRequestsMax: number;
  readonly cwmpBodiesMibMax: number;
  readonly connectionRequestAuth: string;
  readonly connectionRequestBasic: boolean;
  readonly connectionRequestSubnet: readonly string[];
  readonly connectionRequestSeconds: number;
  readonly trustedProxy: readonly string[];
  readonly deviceDomain: string;
  readonly cwmpConnectionsMax: number;
  readonly nbiConnectionsMax: number;
  readonly fileConnectionsMax: number;
  readonly rulesDir: string;
  readonly resultDays: number;
  readonly deviceDays: number;
  readonly auditDays: number;
  readonly diskFreeMibMin: number;
  readonly adminPassword: string;
  readonly nbiUserRequestsMax: number;
  readonly nbiUserListsMax: number;
  readonly nbiUserDownloadsMax: number;
  readonly nbiFailedLoginsMax: number;
  readonly nbiSessionIdleMinutes: number;
  readonly nbiSessionHours: number;
  readonly nbiBodiesMibMax: number;
  readonly nbiUnreadMibMax: number;
  readonly firmwareUpgraderVersion: UpgraderVersion;
  readonly firmwareUpgraderType: readonly string[];
  readonly firmwareUpgraderModelParameter: string;
  readonly firmwareUpgraderImageMibMax: number;
  readonly firmwareUpgraderRequestsMax: number;
  readonly firmwareUpgraderTokensMax: number;
  readonly requireCommitLog: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
}

export interface OptionSpec<T> {
  readonly default: T;
  readonly describe: string;
  readonly group: string;
  /** JSON Schema of the value, besides its type. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Said where the schema does not hold: what it should be. */
  readonly expected: string;
  /** Never printed. */
  readonly secret?: true;
  /** What may be printed of a secret text; nothing unless told. */
  readonly shown?: (secret: string) => string;
}

const LISTEN = {
  schema: { type: 'string', format: 'listen' },
  expected: 'HOST:PORT, as in 0.0.0.0:7547 or [::]:7547',
};
const CREDENTIALS = {
  // CPEs take no more of either (string(256)), and no controls; RFC 7617: the colon is what ends the user name.
  schema: { type: 'string', pattern: '^$|^[^:\\p{Cc}]{1,256}:\\P{Cc}{1,256}$' },
  expected: 'USER:PASSWORD, each of at most 256 printable characters',
};
const SUBNETS = {
  schema: { type: 'array', items: { type: 'string', format: 'subnet' }, maxItems: 1_000 },
  expected: 'addresses or subnets in CIDR notation, as in 192.0.2.0/24',
};
const PATH = { schema: { type: 'string', maxLength: 4_096 }, expected: 'one path' };

/** More than the processors of any machine that would be asked to. */
const WORKERS_MAX = 256;

/** More than one process can have. */
const CONNECTIONS_MAX = 1_000_000;

/** 64 GiB. */
const MEMORY_MIB_MAX = 65_536;

function whole(minimum: number, maximum: number) {
  return {
    schema: { type: 'integer', minimum, maximum },
    expected: `a whole number from ${minimum} to ${maximum}`,
  };
}

export const OPTIONS: { readonly [Name in keyof Config]: OptionSpec<Config[Name]> } = {
  store: {
    schema: { type: 'string', format: 'store-url', maxLength: 8_192 },
    expected:
      'mongodb://HOST[:PORT],…/DATABASE?replicaSet=NAME or mongodb+srv://HOST/DATABASE (what is special in a password as %XX), or empty',
    default: '',
    describe: 'MongoDB that any number of nodes share, as mongodb://… [embedded, in the data directory]',
    group: 'Storage:',
    secret: true,
    shown: withoutUrlSecrets,
  },
  groupCommitMs: {
    ...whole(0, 100),
    default: 2,
    describe:
      'How long a commit waits for others to share its transaction on MongoDB, in milliseconds; more where commits are many and the database is slow',
    group: 'Storage:',
  },
  workers: {
    ...whole(0, WORKERS_MAX),
    default: 1,
    describe: 'Processes that share the listeners and the store; 0: one for each processor',
    group: 'Processes:',
  },
  shareSessions: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe:
      'Keep open CWMP sessions in the store, so that any process on the same data can go on with them; always so with several workers, or on MongoDB',
    group: 'Processes:',
  },
  dataDir: {
    schema: { ...PATH.schema, minLength: 1 },
    expected: PATH.expected,
    default: 'ferry-data',
    describe: 'Directory of the embedded store and its firmware images, and of the master key',
    group: 'Storage:',
  },
  secretFile: {
    ...PATH,
    default: '',
    describe:
      'File of the master key that seals stored secrets; made on the first start, the same on all nodes of one --store [<data-dir>/secret.key]',
    group: 'Storage:',
  },
  acceptEmptyStore: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe:
      'Begin anew on a store without anything in it though a master key or images of an earlier one lie beside it',
    group: 'Storage:',
  },
  resultDays: {
    ...whole(1, 10_000),
    default: 400,
    describe: 'Days that results of ended upgrades are kept',
    group: 'Storage:',
  },
  deviceDays: {
    ...whole(0, 10_000),
    default: 0,
    describe: 'Days without an Inform after which a CPE is forgotten; its results stay; 0: never',
    group: 'Storage:',
  },
  auditDays: {
    ...whole(0, 10_000),
    default: 730,
    describe: 'Days that is kept who has changed what (ferry audit); 0: for ever',
    group: 'Storage:',
  },
  diskFreeMibMin: {
    ...whole(0, 1_048_576),
    default: 256,
    describe: 'MiB that are to be free on the disk of --data-dir: with less, /healthz says so; 0: never',
    group: 'Storage:',
  },
  cwmpListen: {
    ...LISTEN,
    default: '0.0.0.0:7547',
    describe: 'Where CPEs connect (CWMP)',
    group: 'Listeners:',
  },
  nbiListen: {
    ...LISTEN,
    default: '127.0.0.1:7557',
    describe:
      'Where the northbound interface listens; it carries passwords, so put TLS in front of it before you open it',
    group: 'Listeners:',
  },
  fileListen: {
    ...LISTEN,
    default: '0.0.0.0:7567',
    describe: 'Where CPEs download firmware',
    group: 'Listeners:',
  },
  trustedProxy: {
    schema: { ...SUBNETS.schema, items: { type: 'string', format: 'proxy' } },
    expected: `${SUBNETS.expected}, and not everybody (/0)`,
    default: [],
    describe:
      'Proxies in front of the listeners whose X-Forwarded-For, -Proto and -Host are believed; repeat for several',
    group: 'Listeners:',
  },
  deviceDomain: {
    schema: { type: 'string', format: 'device-domain', maxLength: 189 },
    expected: 'a domain in lower case, as in cpe.example.net, or empty',
    default: '',
    describe:
      'Domain below which each CPE has a host for its own API at the northbound listener: its UUID or its serial number in lower case [by path alone]',
    group: 'Listeners:',
  },
  cwmpConnectionsMax: {
    ...whole(1, CONNECTIONS_MAX),
    default: 50_000,
    describe: 'Connections of CPEs at a time, in each process; fewer where its descriptors would not do',
    group: 'Listeners:',
  },
  nbiConnectionsMax: {
    ...whole(2, CONNECTIONS_MAX),
    default: 1_000,
    describe:
      'Connections to the northbound interface at a time, in each process; one address may have half of them, unless it is a trusted proxy',
    group: 'Listeners:',
  },
  fileConnectionsMax: {
    ...whole(1, CONNECTIONS_MAX),
    default: 12_000,
    describe: 'Downloads at a time, in each process; fewer where its descriptors would not do',
    group: 'Listeners:',
  },
  publicFileUrl: {
    schema: { type: 'array', items: { type: 'string', format: 'file-url' }, maxItems: 100 },
    expected: `http(s)://HOST[:PORT][/PATH] of at most ${PUBLIC_URL_CHARACTERS_MAX} characters, or SUBNET=URL as in 10.0.0.0/8=http://10.0.0.5:7567`,
    default: [],
    describe:
      'How CPEs reach the file server; SUBNET=URL for one subnet, repeat for several [http://<host name>:<file port>]',
    group: 'Firmware files:',
  },
  fileAuth: {
    ...CREDENTIALS,
    default: '',
    describe: 'Give CPEs this USER:PASSWORD for downloads instead of a token in the URL',
    group: 'Firmware files:',
    secret: true,
  },
  requireSignature: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe: 'Send no image that is not signed by a key that holds (ferry image key), whatever a rule says',
    group: 'Firmware files:',
  },
  imageMibMax: {
    ...whole(1, 65_536),
    default: 1_024,
    describe: 'Largest firmware image accepted, in MiB',
    group: 'Firmware files:',
  },
  organizationImageMibMax: {
    ...whole(0, 67_108_864),
    default: 0,
    describe:
      'What the images of one organization may take together, uploads under way among them, in MiB; 0: no bound',
    group: 'Firmware files:',
  },
  strictImages: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe:
      'Refuse an image whose version or boards were typed otherwise than its file says; else that is a warning',
    group: 'Firmware files:',
  },
  imageSources: {
    ...SUBNETS,
    default: [],
    describe:
      'Where images may be fetched from by URL, whatever names and redirects lead there; repeat for several [nowhere]',
    group: 'Firmware files:',
  },
  boardParameter: {
    schema: { type: 'string', format: 'board-parameter' },
    expected:
      'the full name of a parameter that is no secret, as in Device.DeviceInfo.X_VENDOR_Board, or empty',
    default: '',
    describe:
      'Parameter by which CPEs tell their board, read where an image is for boards; below Device or InternetGatewayDevice, whichever the CPE has [their ModelName and ProductClass, where these are boards]',
    group: 'Firmware files:',
  },
  cpeAuth: {
    ...CREDENTIALS,
    default: '',
    describe: 'USER:PASSWORD that CPEs present [generated on the first start, see ferry config --secrets]',
    group: 'CPEs:',
    secret: true,
  },
  cpeAuthScheme: {
    schema: { enum: ['basic', 'digest', 'both'] },
    expected: 'basic, digest or both',
    default: 'both',
    describe:
      'How CPEs are asked for user and password, also for files: by HTTP Basic, by Digest, or as they can',
    group: 'CPEs:',
  },
  allowAnonymousCpe: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe: 'Let CPEs in without a password: any host may then claim to be any CPE',
    group: 'CPEs:',
  },
  bootstrapCredentials: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe:
      'Give CPEs that begin with the shared pair credentials of their own, by SetParameterValues; once a CPE has used them nobody else speaks for it',
    group: 'CPEs:',
  },
  afterReset: {
    schema: { enum: ['hold', 'readmit'] },
    expected: 'hold or readmit',
    default: 'hold',
    describe:
      'A CPE that comes back without its own credentials (factory reset): hold it until ferry device readmit, or readmit it with new ones, which whoever has the shared pair can ask for',
    group: 'CPEs:',
  },
  enrol: {
    schema: { enum: ['open', 'known', 'approve'] },
    expected: 'open, known or approve',
    default: 'open',
    describe:
      'Which new CPEs rules look at: all; those that have credentials on record or were named by ferry device approve; or of those without credentials the ones that are approved once they have come',
    group: 'CPEs:',
  },
  cpeid: {
    schema: { enum: ['oui', 'serial'] },
    expected: 'oui or serial',
    default: 'oui',
    describe:
      'What tells CPEs apart: OUI, product class and serial number; or the serial number alone, which is then the id of a CPE, and a second OUI under one is refused. Fixed at the first start',
    group: 'CPEs:',
  },
  newCpesPerMinute: {
    ...whole(0, 100_000_000),
    default: 30_000,
    describe:
      'CPEs not heard of before that are taken on in a minute, in each process; where they run short the address that has had most gets no more; 0: any number',
    group: 'CPEs:',
  },
  cpesMax: {
    ...whole(0, 1_000_000_000),
    default: 10_000_000,
    describe: 'CPEs that there may be in all, before no new one is taken on; 0: any number',
    group: 'CPEs:',
  },
  sharedAddress: {
    ...SUBNETS,
    default: [],
    describe:
      'Addresses or subnets that many CPEs share (CGNAT, a proxy): neither new CPEs of theirs nor places of a rule give way to those of others; repeat for several',
    group: 'CPEs:',
  },
  cookieFromAnyAddress: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe: 'Session cookies count from any address, for CPEs whose own changes within a session',
    group: 'CPEs:',
  },
  periodicInformSeconds: {
    ...whole(0, 4_294_967_295),
    default: 3_600,
    describe: 'PeriodicInformInterval set on first contact; 0 leaves the CPE as it is',
    group: 'CPEs:',
  },
  sessionIdleSeconds: {
    ...whole(1, 3_600),
    default: 30,
    describe: 'How long a CPE may be silent within a session',
    group: 'CPEs:',
  },
  informKibMax: {
    ...whole(64, 16_384),
    default: 1_024,
    describe: 'Largest message of a CPE that is read, in KiB; more than an Inform needs as a rule',
    group: 'CPEs:',
  },
  cwmpRequestsMax: {
    ...whole(1, 100_000),
    default: 4_000,
    describe:
      'Requests of CPEs that are worked on at a time, in each process; further ones are told to come again',
    group: 'CPEs:',
  },
  cwmpBodiesMibMax: {
    // No less than the largest message may be.
    ...whole(16, MEMORY_MIB_MAX),
    default: 64,
    describe: 'MiB of messages of CPEs under way at a time, in each process',
    group: 'CPEs:',
  },
  connectionRequestAuth: {
    ...CREDENTIALS,
    default: '',
    describe:
      'USER:PASSWORD for connection requests to a fleet provisioned elsewhere [each CPE is given its own]',
    group: 'CPEs:',
    secret: true,
  },
  connectionRequestBasic: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe:
      'Give a CPE that asks for Basic its own connection-request password in the clear, where its address has not changed',
    group: 'CPEs:',
  },
  connectionRequestSubnet: {
    ...SUBNETS,
    default: [],
    describe: 'Where connection requests may go besides the address a CPE informed from; repeat for several',
    group: 'CPEs:',
  },
  connectionRequestSeconds: {
    ...whole(1, 300),
    default: 20,
    describe: 'How long SendCNR tries before it answers 504',
    group: 'CPEs:',
  },
  rulesDir: {
    ...PATH,
    default: '',
    describe: 'Directory of JSON rule files, watched for changes',
    group: 'Rules:',
  },
  adminPassword: {
    schema: { type: 'string', format: 'password' },
    expected: 'a password of at least 8 characters and at most 1024 bytes',
    default: '',
    describe: 'Password of the first user, "admin" [generated and printed once]',
    group: 'Northbound users:',
    secret: true,
  },
  nbiUserRequestsMax: {
    ...whole(10, 2_000),
    default: 200,
    describe:
      'Requests that one user of the northbound interface may have under way in a process; all together may have five times as many',
    group: 'Northbound users:',
  },
  nbiUserListsMax: {
    ...whole(1, 100),
    default: 4,
    describe:
      'Lists that one user may have read at a time, of those that may look at any number of entries; others wait. All together may have four times as many',
    group: 'Northbound users:',
  },
  nbiUserDownloadsMax: {
    ...whole(1, 1_000),
    default: 4,
    describe:
      'Downloads of images that one user may have under way at a time by the northbound interface; others wait. All together may have four times as many',
    group: 'Northbound users:',
  },
  nbiFailedLoginsMax: {
    ...whole(1, 1_000),
    default: 10,
    describe:
      'Wrong passwords a minute from one address for one user, in each process, before it is turned away; one address may have six times as many for all users',
    group: 'Northbound users:',
  },
  nbiSessionIdleMinutes: {
    // Uses are noted once a minute, so a session may end a minute early.
    ...whole(5, 10_080),
    default: 60,
    describe: 'Minutes that the session of a user who has logged in by a page lasts without a request',
    group: 'Northbound users:',
  },
  nbiSessionHours: {
    ...whole(1, 720),
    default: 12,
    describe: 'Hours that such a session lasts at most, however much it is used',
    group: 'Northbound users:',
  },
  nbiBodiesMibMax: {
    // One user has half of them, and the largest body has 16 MiB.
    ...whole(32, MEMORY_MIB_MAX),
    default: 64,
    describe:
      'MiB of bodies of requests to the northbound interface under way at a time, in each process; one user may have half of them',
    group: 'Northbound users:',
  },
  nbiUnreadMibMax: {
    ...whole(4, MEMORY_MIB_MAX),
    default: 64,
    describe:
      'MiB of answers held for clients that have not taken them, in each process, before they need the place of a list; one user may have a quarter of them',
    group: 'Northbound users:',
  },
  firmwareUpgraderVersion: {
    schema: { enum: [...UPGRADER_VERSIONS] },
    expected: UPGRADER_VERSIONS.join(' or '),
    default: '1.3',
    describe:
      'Version of the firmware upgrader whose answers /api/v1/firmware-upgrader/ gives where they differ',
    group: 'Firmware upgrader:',
  },
  firmwareUpgraderType: {
    schema: { type: 'array', items: { type: 'string', format: 'image-type' }, maxItems: 1_000 },
    expected:
      'types of images as in "hgw-9000.bin | HGW 9000 | HGW-9000; HGW-9000B": a name, a label, and models',
    default: [],
    describe:
      'A type of images beside those of the firmware upgrader, as in "hgw-9000.bin | HGW 9000 | HGW-9000; HGW-9000B": its name, its label and the models it is for; repeatable',
    group: 'Firmware upgrader:',
  },
  firmwareUpgraderModelParameter: {
    schema: { type: 'string', format: 'board-parameter' },
    expected: 'the full name of a parameter that is no secret, as in Device.DeviceInfo.ModelNumber, or empty',
    default: '',
    describe:
      'Parameter by which the firmware upgrader tells the model of a CPE, where that is known of it; else its ModelName, else its ProductClass',
    group: 'Firmware upgrader:',
  },
  firmwareUpgraderImageMibMax: {
    ...whole(1, MEMORY_MIB_MAX),
    default: 30,
    describe: 'MiB of an image that is uploaded by the firmware upgrader; --image-mib-max holds as well',
    group: 'Firmware upgrader:',
  },
  firmwareUpgraderRequestsMax: {
    ...whole(0, 100_000),
    default: 1_000,
    describe:
      'Requests to the firmware upgrader that one user may make a minute, in each process; 0: as many as he likes',
    group: 'Firmware upgrader:',
  },
  firmwareUpgraderTokensMax: {
    ...whole(0, 100_000),
    default: 20,
    describe:
      'Requests to /api/v1/users/token/ from one address a day, in each process; 0: as many as it likes. Wrong passwords are bounded by themselves',
    group: 'Firmware upgrader:',
  },
  requireCommitLog: {
    schema: { type: 'boolean' },
    expected: 'true or false',
    default: false,
    describe: 'Refuse upgrades through the firmware slots of a CPE (/api/firmware/upgrade) without a message',
    group: 'Firmware slots:',
  },
  logLevel: {
    schema: { enum: ['error', 'warn', 'info', 'debug'] },
    expected: 'error, warn, info or debug',
    default: 'info',
    describe: 'Least severe events that are logged',
    group: 'Logging:',
  },
  logFormat: {
    schema: { enum: ['text', 'json'] },
    expected: 'text or json',
    default: 'text',
    describe: 'One line of text or of JSON for each event',
    group: 'Logging:',
  },
};

export const CONFIG_NAMES = Object.keys(OPTIONS) as (keyof Config)[];

/** `dataDir` as one writes it on a command line: `data-dir`. */
export function flagOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** What `ferry config` prints in place of a secret. */
export const MASK = '********';

/** The address of a database without the password and the parameters that hold secrets. */
function withoutUrlSecrets(url: string): string {
  return url
    .replace(/^([a-z+]+:\/\/[^:/]*):.*@/, `$1:${MASK}@`)
    .replace(/([?&][^=&]*(?:password|properties)[^=&]*=)[^&]*/gi, `$1${MASK}`);
}
