import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { SessionAuthModule } from 'nestjs-session-auth';
import { BankingModule } from './banking/banking.module.js';
import { OfficeModule } from './office/office.module.js';

/** Where the bank's API is described: for people, and with `-json` behind it for programs. */
export const API_DOCUMENT_PATH = 'api/docs';

/**
 * Serves the OpenAPI document of the bank: its own API, and the endpoints of the library, which describe themselves.
 */
export function serveApiDocument(app: INestApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Example Bank')
    .setDescription(
      'Log in at `/login` (or by `POST /auth/login`), as staff at `/office/login`, and the browser sends the cookie along from here.',
    )
    .setVersion('1.0')
    .addCookieAuth('__Host-session')
    .addCookieAuth('__Host-office-session', { type: 'apiKey' }, 'office-cookie')
    .build();
  const include = [SessionAuthModule, BankingModule, OfficeModule];
  SwaggerModule.setup(API_DOCUMENT_PATH, app, () => SwaggerModule.createDocument(app, config, { include }));
}
