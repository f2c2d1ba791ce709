import {
  DOWNLOAD_RESPONSE,
  inform,
  SET_PARAMETER_VALUES_RESPONSE,
  serialOf,
  transferComplete,
} from './envelopes.js';
import { RawConnection } from './raw-client.js';

/** A periodic session of a known CPE on a connection of its own, as CPEs have it: Inform, empty POST, empty answer. */
export async function periodicSession(port: number, cpe: number): Promise<void> {
  const connection = await RawConnection.open(port);
  try {
    const { cookie } = await connection.post(inform(serialOf(cpe), ['2 PERIODIC'], '1.0.0'), null);
    const end = await connection.post('', cookie);
    if (end.status !== 204)
      throw new Error(`A periodic session was answered with HTTP ${end.status}: ${end.body}`);
  } finally {
    connection.close();
  }
}

/**
 * First contact, with whatever the ACS wants set, so that the CPE is known afterwards.
 * @param authorization  what the header of that name says; empty: the ACS asks nobody
 */
export async function firstContact(port: number, cpe: number, authorization = ''): Promise<void> {
  const connection = await RawConnection.open(port);
  try {
    const message = inform(serialOf(cpe), ['0 BOOTSTRAP', '1 BOOT'], '1.0.0');
    const { cookie } = await connection.post(message, null, authorization);
    let answer = await connection.post('', cookie);
    while (answer.status === 200) answer = await connection.post(SET_PARAMETER_VALUES_RESPONSE, cookie);
  } finally {
    connection.close();
  }
}

/** A whole upgrade in two sessions: Inform, Download; after the reboot Inform, TransferComplete. Six requests. */
export async function upgrade(port: number, cpe: number): Promise<void> {
  const first = await RawConnection.open(port);
  let commandKey: string | undefined;
  try {
    const { cookie } = await first.post(inform(serialOf(cpe), ['2 PERIODIC'], '1.0.0'), null);
    const download = await first.post('', cookie);
    commandKey = /<CommandKey>([^<]*)</.exec(download.body)?.[1];
    if (commandKey === undefined)
      throw new Error(`There was no Download, but HTTP ${download.status}: ${download.body}`);
    await first.post(DOWNLOAD_RESPONSE, cookie);
  } finally {
    first.close();
  }
  const second = await RawConnection.open(port);
  try {
    const events = ['1 BOOT', 'M Download', '7 TRANSFER COMPLETE'];
    const { cookie } = await second.post(inform(serialOf(cpe), events, '2.0.0'), null);
    await second.post(transferComplete(commandKey), cookie);
    const end = await second.post('', cookie);
    if (end.status !== 204) throw new Error(`An upgrade ended with HTTP ${end.status}: ${end.body}`);
  } finally {
    second.close();
  }
}
