import type { LocalService } from '../../src/local-services/local-service.ts';

/** The services of one test run: the setup starts them and the teardown, in the same process, stops them. */
export const testServices = new Set<LocalService>();

/** Stops every service, also when stopping one of them fails. */
export async function stopTestServices(): Promise<void> {
  const services = [...testServices];
  testServices.clear();
  const results = await Promise.allSettled(services.map((service) => service.stop()));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (errors.length > 0) throw new AggregateError(errors, 'Some test services could not be stopped');
}
