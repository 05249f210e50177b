import { rm } from 'node:fs/promises';
import { stopTestServices } from './test-services.ts';

export default async function globalTeardown(): Promise<void> {
  await rm(process.env['TEST_RUN_FOLDER']!, { recursive: true, force: true });
  await stopTestServices();
}
