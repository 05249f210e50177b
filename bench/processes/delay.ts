import { FaultProxy } from '../../test/support/fault-proxy.js';

/*
 * A process between a server and its store. It passes on what either of them sends, in order, at least so many
 * milliseconds later.
 */
const [port, milliseconds] = process.argv.slice(2).map(Number);
const proxy = await FaultProxy.start(port!);
await proxy.break({ kind: 'delay', milliseconds: milliseconds! });

process.on('disconnect', () => process.exit());
process.send!({ port: proxy.port });
