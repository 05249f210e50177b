import { Controller, Delete, Get, HttpCode, Inject, NotFoundException, Param, UseGuards } from '@nestjs/common';
import {
  CsrfProtected,
  CurrentSession,
  type RememberedDevice,
  RememberMeService,
  SessionAuthGuard,
} from 'nestjs-session-auth';

@Controller('remembered-devices')
@UseGuards(SessionAuthGuard)
export class DevicesController {
  constructor(@Inject(RememberMeService) private readonly rememberMe: RememberMeService) {}

  @Get()
  list(@CurrentSession('userId') userId: string): Promise<RememberedDevice[]> {
    return this.rememberMe.list(userId);
  }

  @Delete(':id')
  @CsrfProtected()
  @HttpCode(204)
  async forget(@CurrentSession('userId') userId: string, @Param('id') id: string): Promise<void> {
    if (!(await this.rememberMe.revoke(userId, id))) throw new NotFoundException();
  }
}
