type ExceptionClass = new (error: object) => Error;

interface WebSocketFilter {
  catch(exception: Error, host: object): void;
}

/** By type of the execution context. */
const EXCEPTIONS = new Map<string, ExceptionClass>();
let webSocketFilter: (new () => WebSocketFilter) | undefined;

/**
 * Loads Nest's exceptions for sockets and microservices if their packages are installed. They are loaded here, not on
 * import, so that nothing depends on them.
 */
export async function loadTransportExceptions(): Promise<void> {
  await Promise.all([
    import('@nestjs/websockets').then(
      ({ WsException, BaseWsExceptionFilter }) => {
        EXCEPTIONS.set('ws', WsException);
        webSocketFilter = BaseWsExceptionFilter;
      },
      () => undefined,
    ),
    import('@nestjs/microservices').then(
      ({ RpcException }) => void EXCEPTIONS.set('rpc', RpcException),
      () => undefined,
    ),
  ]);
}

/** The exception class that Nest sends to clients of a context type unchanged; undefined without one. */
export function exceptionClassOf(type: string): ExceptionClass | undefined {
  return EXCEPTIONS.get(type);
}

/** Sends an exception to the client of a message. */
export function sendWebSocketException(exception: Error, host: object): void {
  if (webSocketFilter !== undefined) new webSocketFilter().catch(exception, host);
}
