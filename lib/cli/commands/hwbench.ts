// lowp hwbench: the most that one core of this machine can do, which layers are compared with.

import { cpuInfo, measurePeaks } from '../../native/cpu-info.ts';
import { action, type CliCommand } from '../command.ts';
import { addCommonOptions, type CommonOptions } from '../options.ts';
import { table } from '../output.ts';

export const hwbenchCommand: CliCommand = {
  register(program) {
    const command = program
      .command('hwbench')
      .description('measure what one core can do at most: arithmetic by instruction, reading by cache');
    addCommonOptions(command).action(
      action<CommonOptions>(async (_, options, { out }) => {
        const cpu = cpuInfo();
        const { arithmetic, reading } = measurePeaks(options.maxIsa ?? cpu.isa);
        out.line(`${cpu.brand}, ${cpu.isa}, one core\n`);
        out.line(
          table(
            ['instructions', 'type', 'level', 'GOPS'],
            arithmetic.map((p) => [p.name, p.type, p.isa, p.gops.toFixed(1)]),
          ),
        );
        out.line('');
        out.line(
          table(
            ['reading', 'KiB', 'GB/s'],
            reading.map((p) => [p.level, `${Math.round(p.bytes / 1024)}`, p.gbps.toFixed(1)]),
          ),
        );
        out.json({ cpu, arithmetic, reading });
      }),
    );
  },
};
