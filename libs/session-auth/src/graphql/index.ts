export { connectSession, type GraphqlWsContext, type GraphqlWsOnConnect } from './connect-session.js';
export { sessionContext, type MercuriusContext } from './session-context.js';
export type { OpenSocket } from './session-socket.js';
export type { ConnectionOptions } from '../connections/connection.options.js';
