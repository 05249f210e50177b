import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import { ApiCookieAuth, DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { CurrentSession, Realm, SessionAuthGuard } from 'nestjs-session-auth';

/** The document of an application with the realms `default` and `staff`. */
export function documentOfRealms(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Notes')
    .addCookieAuth('__Host-session')
    .addCookieAuth('__Host-staff-session', { type: 'apiKey' }, 'staff-cookie')
    .build();
  return SwaggerModule.createDocument(app, config);
}

@Controller('help')
export class HelpController {
  /** Either cookie will do. */
  @ApiCookieAuth('staff-cookie')
  @ApiCookieAuth()
  @Realm('staff', 'default')
  @UseGuards(SessionAuthGuard)
  @Get()
  help(@CurrentSession('realm') realm: string): object {
    return { for: realm };
  }
}
