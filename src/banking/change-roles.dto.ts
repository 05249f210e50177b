import { ApiProperty } from '@nestjs/swagger';
import { ArrayMaxSize, IsIn, IsArray } from 'class-validator';

/** The body of `PUT /api/admin/users/:id/roles`. */
export class ChangeRolesDto {
  @IsArray()
  @ArrayMaxSize(2)
  @IsIn(['customer', 'admin'], { each: true })
  @ApiProperty({ enum: ['customer', 'admin'], isArray: true })
  roles!: string[];
}
