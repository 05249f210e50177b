import { afterEach, describe, expect, it } from '@jest/globals';
import { AppModule } from '../../examples/graphql/app.module.js';
import { send, type Answer } from '../support/bank-client.js';
import { closeSockets, GraphSocket } from '../support/graphql-sockets.js';
import { ADA, startExample, type ExampleApp } from '../support/example-app.js';

describe('the example of GraphQL', () => {
  let running: ExampleApp | undefined;

  afterEach(async () => {
    closeSockets();
    await running?.close();
  });

  it('signs in by a mutation, shows the account, transfers, and signs out', async () => {
    const { port } = (running = await startExample(AppModule));
    const jar = new Map<string, string>();
    const ask = async (query: string, csrf: string | false = false): Promise<Answer> => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await send(port, 'POST', '/graphql', { body: { query }, cookie, csrf });
      for (const line of answer.setCookies) {
        const [name = '', value = ''] = line.split(';', 1)[0]!.split('=');
        jar.set(name, value);
      }
      return answer;
    };
    const dataOf = <T>(answer: Answer): T => (answer.json as { data: T }).data;
    const account = '{ account { balance owner } }';

    expect((await ask(account)).json).toMatchObject({ errors: [{ extensions: { reason: 'session_required' } }] });
    const { csrfToken } = dataOf<{ csrfToken: string }>(await ask('{ csrfToken }'));
    const login = `mutation { login(email: "${ADA.email}", password: "${ADA.password}") }`;
    expect((await ask(login)).json).toMatchObject({ errors: [{ extensions: { reason: 'csrf_failed' } }] });
    const csrf = dataOf<{ login: string }>(await ask(login, csrfToken)).login;
    expect((await ask(account)).json).toEqual({ data: { account: { balance: 100, owner: ADA.email } } });

    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const socket = await GraphSocket.open({ port, headers: { cookie } });
    const changes = socket.start('subscription { accountChanged { balance owner } }');
    expect(await socket.ask(account)).toEqual({ data: { account: { balance: 100, owner: ADA.email } } });

    const transfer = 'mutation { transfer(amount: 30) { balance } }';
    expect((await ask(transfer, csrfToken)).json).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
    expect((await ask(transfer, csrf)).json).toEqual({ data: { transfer: { balance: 70 } } });
    expect(await socket.next(changes)).toEqual({ data: { accountChanged: { balance: 70, owner: ADA.email } } });
    expect((await ask('mutation { logout }', csrf)).json).toEqual({ data: { logout: true } });
    expect(await socket.closed).toEqual({ code: 4401, reason: 'session_ended' });
    expect((await ask(account)).json).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});
