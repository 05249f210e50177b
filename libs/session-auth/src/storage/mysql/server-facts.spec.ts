import { describe, expect, it } from '@jest/globals';
import { problemOf } from './server-facts.js';

const server = (version: string, more: Record<string, string> = {}): ReadonlyMap<string, string> =>
  new Map(Object.entries({ version, log_bin: 'OFF', ...more }));

describe('problemOf', () => {
  it.each([
    '10.6.0-MariaDB',
    '5.5.5-10.11.19-MariaDB-0+deb12u1',
    '11.8.2-MariaDB-log',
    '8.0.1',
    '8.4.3',
    '9.1.0-commercial',
  ])('takes a server of version %s', (version) => expect(problemOf(server(version))).toBeUndefined());

  it.each(['10.5.29-MariaDB', '5.5.5-10.3.1-MariaDB', '5.7.44-log', '8.0.0-dmr', ''])(
    'refuses one of version "%s"',
    (version) => {
      expect(problemOf(server(version))).toContain(`given a server of version ${version}`);
    },
  );

  it('refuses a binary log of statements, which the transactions of the stores cannot be written to', () => {
    const logging = { log_bin: 'ON', binlog_format: 'STATEMENT' };
    expect(problemOf(server('8.4.3', logging))).toContain('binlog_format STATEMENT; allowed is MIXED or ROW');
    expect(problemOf(server('8.4.3', { ...logging, binlog_format: 'ROW' }))).toBeUndefined();
    expect(problemOf(server('8.4.3', { ...logging, log_bin: 'OFF' }))).toBeUndefined();
  });
});
