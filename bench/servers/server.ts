import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import type { AddressInfo } from 'node:net';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

/*
 * One server process: starts the contender that its argument names, tells the parent its port, and answers what CPU
 * time it has used whenever it is asked.
 */
const { spec, addresses } = JSON.parse(process.argv[2]!) as { spec: ServerSpec; addresses: StoreAddresses };
const { open } = (await import(`./${spec.contender}.js`)) as {
  readonly open: (spec: ServerSpec, addresses: StoreAddresses) => Promise<INestApplication>;
};
const app = await open(spec, addresses);
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();

process.on('message', () => process.send!(process.cpuUsage()));
process.on('disconnect', () => process.exit());
process.send!({ port });
