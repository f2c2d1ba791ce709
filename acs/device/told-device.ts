import { SECOND_MS, withoutSecrets } from '../../common/index.js';
import type { Device } from './device.js';

/** What the log of events says of a CPE that is deleted: what it was, in the names of DeviceStorage, and where it was last. Whose it was the event itself says. */
export function toldDevice(device: Device) {
  const { manufacturer, oui, productClass, serialNumber, modelName, softwareVersion, hardwareVersion } =
    device;
  const { ip, connectionRequestUrl, enrolment, tags, organization, registeredMs, lastInformMs } = device;
  return {
    manufacturer,
    oui,
    productClass,
    serialNumber,
    modelName,
    softwareVersion,
    hardwareVersion,
    ip,
    connectionRequestUrl: connectionRequestUrl && toldUrl(connectionRequestUrl),
    enrolment,
    tags,
    setBy: organization?.by,
    registered: Math.floor(registeredMs / SECOND_MS),
    lastInform: Math.floor(lastInformMs / SECOND_MS),
  };
}

/** A URL of a CPE without what may be a key to it. */
export function toldUrl(url: string): string {
  return String(withoutSecrets('file', url));
}
