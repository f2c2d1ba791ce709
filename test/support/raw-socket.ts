import net from 'node:net';

/**
 * Sends bytes as they are to the server of a URL and gives all that is answered until the server closes. So what it should answer and
 * keep open must say `Connection: close` at its end.
 * @param latin1  one character a byte
 */
export function sendRaw(url: string, latin1: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname);
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (data) => {
      answer += data;
    });
    // The server may close while we still send; what counts is what it said before.
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
    socket.write(latin1, 'latin1');
  });
}

/** The status of each answer in what was received. */
export function statusesOf(received: string): readonly number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status));
}
