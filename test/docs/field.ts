import { loopbackConfig } from '../../cli/config.js';
import { startFerry } from '../../cli/server.js';
import { silentLogger, systemClock } from '../../common/index.js';
import { builtInModel, Fleet, makeImage } from '../../cpe-sim/index.js';
import { ADMIN, nbiClient, until } from '../support/ferry.js';

const CPES = 100;
const FIELD = {
  oui: '00A1B2',
  productClass: 'HGW',
  serialPrefix: 'SIM',
  softwareVersion: '1.9.0',
  count: CPES,
} as const;

/** Makes the data directory of a server that has the image of the examples, and to which a hundred CPEs have informed. */
export async function makeField(dataDir: string): Promise<void> {
  const config = loopbackConfig(dataDir, { adminPassword: ADMIN.password });
  const ferry = await startFerry(config, { clock: systemClock, logger: silentLogger });
  try {
    const image = makeImage({ softwareVersion: '2.0.0', productClass: FIELD.productClass, sizeBytes: 1_024 });
    const path = '/v1/images/hgw-2.0.0.bin?softwareVersion=2.0.0&productClass=HGW';
    const { status } = await nbiClient(ferry.urls.nbi)('PUT', path, new Uint8Array(image));
    if (status !== 201) throw new Error(`The image was answered with ${status}`);
    const fleet = new Fleet({ ...FIELD, acsUrl: ferry.urls.cwmp, dataModel: builtInModel('tr181') });
    try {
      await fleet.start();
      await until('all CPEs are known', () => fleet.summary().sessions.ended >= CPES, 60_000);
    } finally {
      await fleet.stop();
    }
  } finally {
    await ferry.close();
  }
}
