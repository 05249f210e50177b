import { ApiProperty } from '@nestjs/swagger';
import { IsEmail, MaxLength } from 'class-validator';

/** The body of `POST /api/settings/email`. */
export class ChangeEmailDto {
  @IsEmail()
  @MaxLength(254)
  @ApiProperty({ format: 'email', maxLength: 254 })
  email!: string;
}
