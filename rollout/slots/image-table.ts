/** One instance of `DeviceInfo.FirmwareImage.{i}.` (TR-181 2.12), as the CPE has told it. */
export interface TableSlot {
  /** Its instance number. */
  readonly key: string;
  /** Empty where there is no image. */
  readonly version: string;
  /** `ActiveFirmwareImage` names it; where the CPE does not tell that, its `Status` says so. */
  readonly isActive: boolean;
  /** `BootFirmwareImage` names it, and `ActiveFirmwareImage` another: it runs after the next reboot. */
  readonly isNext: boolean;
}

type Parameters = Readonly<Record<string, string | number | boolean>>;

/** A CPE has two or three; whatever it tells, no more are shown. */
const TABLE_SLOTS_MAX = 32;

const ENTRY =
  /^(?:Device|InternetGatewayDevice)\.DeviceInfo\.FirmwareImage\.([1-9]\d{0,8})\.(Version|Status|Available|Name|Alias)$/;
const ACTIVE = /^(?:Device|InternetGatewayDevice)\.DeviceInfo\.ActiveFirmwareImage$/;
const BOOT = /^(?:Device|InternetGatewayDevice)\.DeviceInfo\.BootFirmwareImage$/;
const REFERENCE = /\.DeviceInfo\.FirmwareImage\.([1-9]\d{0,8})\.?$/;
/** Of `Status`: nothing stands there that could be run. Whatever else a CPE says there does. */
const EMPTY: ReadonlySet<string> = new Set([
  'NoImage',
  'Downloading',
  'Validating',
  'DownloadFailed',
  'ValidationFailed',
]);
/** No value of TR-181's, and yet told. */
const RUNS = 'Active';

/** The images that a CPE tells of, by number; null where it tells of none. */
export function imageTableIn(parameters: Parameters): readonly TableSlot[] | null {
  const entries = new Map<string, Map<string, string>>();
  let active: string | undefined;
  let boot: string | undefined;
  for (const [name, value] of Object.entries(parameters)) {
    if (ACTIVE.test(name)) active = REFERENCE.exec(String(value))?.[1];
    if (BOOT.test(name)) boot = REFERENCE.exec(String(value))?.[1];
    const [, key, field] = ENTRY.exec(name) ?? [];
    if (key === undefined || field === undefined) continue;
    const entry = entries.get(key) ?? new Map<string, string>();
    entries.set(key, entry.set(field, String(value)));
  }
  if (entries.size === 0) return null;
  return [...entries]
    .sort(([a], [b]) => Number(a) - Number(b))
    .slice(0, TABLE_SLOTS_MAX)
    .map(([key, entry]) => ({
      key,
      version: EMPTY.has(entry.get('Status') ?? '') ? '' : (entry.get('Version') ?? ''),
      isActive: active === undefined ? entry.get('Status') === RUNS : key === active,
      isNext: key === boot && active !== undefined && active !== boot,
    }));
}
