import type { INestApplication } from '@nestjs/common';
import { LiveSessions } from '../../libs/session-auth/src/link/live-sessions.js';

/** How many sessions something on a node lives as long as at present. */
export interface LiveWatches {
  readonly count: number;
}

export function watchesOf(app: INestApplication): LiveWatches {
  const sessions = app.get(LiveSessions, { strict: false });
  return {
    get count() {
      return sessions.size;
    },
  };
}
