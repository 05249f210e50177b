import { Controller, Get } from '@nestjs/common';
import { Public } from 'nestjs-session-auth';

@Controller('health')
export class HealthController {
  @Public()
  @Get()
  health(): { status: string } {
    return { status: 'ok' };
  }
}
