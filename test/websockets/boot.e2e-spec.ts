import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Realm } from 'nestjs-session-auth';
import type { ConnectionOptions } from 'nestjs-session-auth/websockets';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { startNode } from '../support/socket-app.js';
import { SOCKETS } from '../support/socket-client.js';

@Realm('staff')
@WebSocketGateway()
class StaffGateway {
  @SubscribeMessage('staff')
  staff(): void {
    // never asked
  }
}

@WebSocketGateway()
class MixedGateway {
  @Realm('default', 'staff')
  @SubscribeMessage('mixed')
  mixed(): void {
    // never asked
  }
}

describe('withSessions refuses to boot, and says why,', () => {
  it.each<[string, unknown, RegExp]>([
    ['for an unknown option', { anonymus: 'allow' }, /^withSessions: anonymus: given an unknown option/],
    ['for an unknown value', { anonymous: true }, /^withSessions: anonymous: .*allowed is 'refuse', 'allow'/],
    ['for another unknown value', { activity: 'count' }, /^withSessions: activity: given 'count'; allowed is 'none'/],
    [
      'for a realm that no module makes',
      { realm: 'partner' },
      /^withSessions: realm: given 'partner'; .*default, staff/,
    ],
    ['for no realm', { realm: [] }, /^withSessions: realm: given an array of 0/],
    ['for a realm that is named twice', { realm: ['staff', 'staff'] }, /^withSessions: realm: given an array of 2/],
    ['for what are no options', 'touch', /^withSessions: options: given a string/],
  ])('%s', async (_what, connections, message) => {
    const starting = startNode({ sockets: 'ws', staff: {}, connections: connections as ConnectionOptions });
    await expect(starting).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(message),
    });
  });

  it.each([
    ['of another realm', StaffGateway, 'StaffGateway.staff'],
    ['of several realms, one of them another', MixedGateway, 'MixedGateway.mixed'],
  ])('for a handler %s', async (_what, gateway, name) => {
    for (const sockets of SOCKETS) {
      const starting = startNode({ sockets, staff: {}, gateways: [gateway] });
      await expect(starting).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringContaining(`${name} is of realm 'staff'`),
      });
    }
  });

  describe.each(STORES.filter((store) => store !== 'memory'))('for a storage without the link: %s', (store) => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await openBackend(store);
    });
    afterAll(() => backend.close());

    it('naming the option that turns it on', async () => {
      const starting = startNode({ sockets: 'ws', backend: { ...backend, linkedStorage: backend.storage } });
      await expect(starting).rejects.toMatchObject({
        code: 'invalid_configuration',
        message: expect.stringMatching(/withSessions needs the session link: set link: true/),
      });
    });
  });
});
