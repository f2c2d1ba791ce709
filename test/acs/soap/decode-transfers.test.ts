import test from 'ava';
import { decodeEnvelope } from '../../../acs/soap/index.js';
import { envelope } from '../../support/raw-cpe.js';

const namespace = 'urn:dslforum-org:cwmp-1-1';

function decoded(body: string) {
  return decodeEnvelope(Buffer.from(envelope(body, { namespace })), 'text/xml; charset=utf-8').message;
}

function queued(commandKey: string, isDownload: string, fileType: string): string {
  return (
    `<AllQueuedTransferStruct><CommandKey>${commandKey}</CommandKey><State>2</State><IsDownload>${isDownload}</IsDownload>` +
    `<FileType>${fileType}</FileType><FileSize>1</FileSize><TargetFileName></TargetFileName></AllQueuedTransferStruct>`
  );
}

test('AutonomousTransferComplete: what it says of the transfer', (t) => {
  const body =
    '<cwmp:AutonomousTransferComplete><AnnounceURL>http://a/</AnnounceURL><TransferURL> http://b/fw.bin </TransferURL>' +
    '<IsDownload>true</IsDownload><FileType>1 Firmware Upgrade Image</FileType><FileSize>7</FileSize>' +
    '<TargetFileName>fw.bin</TargetFileName><FaultStruct><FaultCode>9010</FaultCode><FaultString>no</FaultString></FaultStruct>' +
    '<StartTime>2026-01-01T00:00:00Z</StartTime><CompleteTime>2026-01-01T00:01:00Z</CompleteTime>' +
    '</cwmp:AutonomousTransferComplete>';
  t.deepEqual(decoded(body), {
    type: 'AutonomousTransferComplete',
    transferUrl: 'http://b/fw.bin',
    isDownload: true,
    fileType: '1 Firmware Upgrade Image',
    targetFileName: 'fw.bin',
    fault: { faultCode: 9010, faultString: 'no' },
  });
});

test('AutonomousTransferComplete: what is missing, or odd, is no reason to hear it again in every session', (t) => {
  const empty = { transferUrl: '', isDownload: false, fileType: '', targetFileName: '', fault: null };
  t.deepEqual(decoded('<cwmp:AutonomousTransferComplete/>'), {
    type: 'AutonomousTransferComplete',
    ...empty,
  });
  const long = `http://b/${'x'.repeat(2_000)}`;
  t.like(
    decoded(
      `<cwmp:AutonomousTransferComplete><TransferURL>${long}</TransferURL><IsDownload>yes</IsDownload></cwmp:AutonomousTransferComplete>`,
    ),
    { transferUrl: long.slice(0, 1_024), isDownload: false },
  );
});

test('an entry of the whole queue that has no key is left out, unless it downloads firmware', (t) => {
  const entries = [
    queued('a', '0', '3 Vendor Configuration File'),
    queued('', '0', '1 Firmware Upgrade Image'),
    queued('', '1', '3 Vendor Configuration File'),
    queued('', 'true', '1 Firmware Upgrade Image'),
    queued('', '1', 'X 00A1B2 Firmware'),
  ];
  const list = `<TransferList soap-enc:arrayType="cwmp:AllQueuedTransferStruct[5]">${entries.join('')}</TransferList>`;
  t.deepEqual(decoded(`<cwmp:GetAllQueuedTransfersResponse>${list}</cwmp:GetAllQueuedTransfersResponse>`), {
    type: 'GetAllQueuedTransfersResponse',
    commandKeys: ['a', '', ''],
  });
});
