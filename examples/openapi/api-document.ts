import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** Call it between `NestFactory.create` and `listen`. */
export function serveApiDocument(app: INestApplication): void {
  const config = new DocumentBuilder().setTitle('Notes').addCookieAuth('__Host-session').build();
  SwaggerModule.setup('api', app, () => SwaggerModule.createDocument(app, config));
}
