export { withSessions } from './with-sessions.js';
export type { ConnectionOptions } from '../connections/connection.options.js';
