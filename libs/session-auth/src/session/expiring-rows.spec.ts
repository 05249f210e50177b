import { describe, expect, it } from '@jest/globals';
import { expiringRows } from './expiring-rows.js';

describe('expiringRows', () => {
  it('are those of the parts that can remove what has expired, by their names', () => {
    const deleteExpired = (): Promise<number> => Promise.resolve(0);
    const auditEvents = { record: () => undefined, deleteExpired };
    const parts = { rememberMeTokens: { list: () => [] }, auditEvents, throttleCounts: { deleteExpired: 'never' } };
    expect(expiringRows(parts)).toEqual({ auditEvents });
  });
});
