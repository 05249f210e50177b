import { relative, sep } from 'node:path';
import Sequencer from '@jest/test-sequencer';

/**
 * Seconds of the files that take longest, roughly. Jest knows how long a file took from the run before. Without one, as
 * on a build server, it begins with the largest files: the small ones that run a contract suite or install a package
 * would be last, the other workers would wait for it.
 */
const SECONDS = {
  'test/stores/redis/redis-client-topologies.e2e-spec.ts': 60,
  'test/faults/near-cache-hanging-node.e2e-spec.ts': 55,
  'test/faults/near-cache-strict.e2e-spec.ts': 50,
  'test/faults/near-cache.e2e-spec.ts': 55,
  'test/browser/client.e2e-spec.ts': 50,
  'test/faults/session-link.e2e-spec.ts': 45,
  'test/faults/redis-faults.e2e-spec.ts': 38,
  'test/faults/failover.e2e-spec.ts': 38,
  'test/browser/two-realms.e2e-spec.ts': 38,
  'test/soak/soak.e2e-spec.ts': 37,
  'test/browser/repeated-requests.e2e-spec.ts': 36,
  'test/demo/demo.e2e-spec.ts': 35,
  'test/near-cache/strict.e2e-spec.ts': 37,
  'test/websockets/store-away.e2e-spec.ts': 33,
  'test/package/nest-12.e2e-spec.ts': 30,
  'test/stores/redis/redis-clients.e2e-spec.ts': 30,
  'test/upgrade/versions.e2e-spec.ts': 28,
  'test/browser/devices.e2e-spec.ts': 28,
  'test/package/nest-11.e2e-spec.ts': 26,
  'test/stores/mysql/mysql-session-store.e2e-spec.ts': 25,
  'test/stores/postgres/stores-without-orm.e2e-spec.ts': 25,
  'test/package/nest-add.e2e-spec.ts': 20,
  'test/stores/postgres/typeorm-session-store.e2e-spec.ts': 20,
  'test/stores/mysql/mysql-by-typeorm.e2e-spec.ts': 20,
  'test/realms/isolation.e2e-spec.ts': 20,
  'test/stores/redis/redis-options.e2e-spec.ts': 19,
  'test/stores/redis/redis-topologies.e2e-spec.ts': 19,
  'test/browser/pages.e2e-spec.ts': 18,
  'test/sessions/end-every-session.e2e-spec.ts': 20,
  'libs/session-auth/src/near-cache/near-cache-protocol.exploration.spec.ts': 20,
  'test/near-cache/near-cache.e2e-spec.ts': 17,
  'libs/session-auth/src/near-cache/wait-protocol.exploration.spec.ts': 17,
  'test/stores/redis/redis-session-link.e2e-spec.ts': 14,
  'test/near-cache/store-commands.e2e-spec.ts': 14,
  'test/package/jest.e2e-spec.ts': 14,
  'test/near-cache/moved-master.e2e-spec.ts': 13,
  'test/demo/office-process.e2e-spec.ts': 13,
  'test/operation/readiness.e2e-spec.ts': 12,
  'test/near-cache/boot-errors.e2e-spec.ts': 11,
  'test/faults/postgres-faults.e2e-spec.ts': 11,
  'test/stores/mysql/mysql-user.e2e-spec.ts': 11,
  'test/stores/postgres/pgbouncer.e2e-spec.ts': 11,
  'test/browser/accessibility.e2e-spec.ts': 10,
  'test/model/postgres-model.e2e-spec.ts': 10,
  'test/operation/shutdown.e2e-spec.ts': 10,
};

/** One of the other files takes about a second. */
const OTHER = 1;

/** Runs the files that take longest first. */
export default class LongestFirst extends Sequencer {
  time(test) {
    const path = relative(test.context.config.rootDir, test.path).split(sep).join('/');
    return super.time(test) ?? 1000 * (SECONDS[path] ?? OTHER);
  }
}
