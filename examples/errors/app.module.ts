import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { AppModule as NotesModule } from '../quick-start/app.module.js';
import { LoginPageFilter } from './login-page.filter.js';

@Module({
  imports: [NotesModule],
  providers: [{ provide: APP_FILTER, useClass: LoginPageFilter }],
})
export class AppModule {}
