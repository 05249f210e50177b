type ExceptionClass = new (error: object) => Error;

interface WebSocketFilter {
  catch(exception: Error, host: object): void;
}

/** By the type of the context. */
const EXCEPTIONS = new Map<string, ExceptionClass>();
let webSocketFilter: (new () => WebSocketFilter) | undefined;

/**
 * Loads the exceptions that Nest knows for sockets and microservices, where their packages are installed. They are loaded
 * here and not when this file is, so that nothing depends on them.
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

/** The exception that Nest sends to clients of a type of context as it is; undefined where there is none. */
export function exceptionClassOf(type: string): ExceptionClass | undefined {
  return EXCEPTIONS.get(type);
}

/** Sends an exception to the client of a message. */
export function sendWebSocketException(exception: Error, host: object): void {
  if (webSocketFilter !== undefined) new webSocketFilter().catch(exception, host);
}
