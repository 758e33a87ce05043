import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A proxy of the test on loopback: tunnels every CONNECT to one server, whatever name was asked for. */
export async function serveProxy(options: {
  /** Where tunnels end. */
  readonly to: number;
  /** Answers a CONNECT with another status, or with `undefined` never. */
  readonly answer?: (nth: number) => number | undefined;
}) {
  const asked: { readonly target: string; readonly headers: IncomingMessage['headers'] }[] = [];
  const sockets = new Set<Socket>();
  let open = 0;
  let most = 0;
  const server: HttpServer = createServer((_, response) => response.writeHead(501).end());
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, socket: Socket) => {
    asked.push({ target: request.url ?? '', headers: request.headers });
    most = Math.max(most, ++open);
    socket.once('close', () => open--);
    const status = options.answer === undefined ? 200 : options.answer(asked.length);
    if (status === undefined) return;
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 3\r\n\r\nno\n`);
      return;
    }
    const inner = connect(options.to, '127.0.0.1', () => socket.write('HTTP/1.1 200 Yes\r\n\r\n'));
    inner.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    port,
    /** Most tunnels at one time. */
    most: () => most,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
