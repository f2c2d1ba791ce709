import { ImageTypes, imageTypeIn } from '../firmware/index.js';
import type { UpgraderOptions } from '../nbi/index.js';
import type { Config } from './options.js';

const MIB = 1024 * 1024;

/** The types of images that there are: those of the configuration, and those of the version of the API. */
export function imageTypesOf({
  firmwareUpgraderVersion,
  firmwareUpgraderType,
}: Pick<Config, 'firmwareUpgraderVersion' | 'firmwareUpgraderType'>): ImageTypes {
  const own = firmwareUpgraderType.flatMap((text) => imageTypeIn(text) ?? []);
  return new ImageTypes(firmwareUpgraderVersion, own);
}

/** How the API of the firmware upgrader answers. */
export function upgraderOptionsOf(config: Config): UpgraderOptions {
  return {
    version: config.firmwareUpgraderVersion,
    types: imageTypesOf(config),
    userRequestsPerMinuteMax: config.firmwareUpgraderRequestsMax,
    tokenRequestsPerDayMax: config.firmwareUpgraderTokensMax,
    imageBytesMax: config.firmwareUpgraderImageMibMax * MIB,
  };
}
