import { Module } from '@nestjs/common';
import { StaffUsersService } from './staff-users.service.js';

@Module({ providers: [StaffUsersService], exports: [StaffUsersService] })
export class StaffUsersModule {}
